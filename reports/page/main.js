function theme(turn) {
  const root = document.documentElement,
    wants = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  let kept;
  try {
    kept = localStorage.getItem('brine-theme');
  } catch {
    /* storage is refused for files in some browsers */
  }
  let now = root.dataset.theme || kept || wants;
  if (turn) {
    now = now === 'dark' ? 'light' : 'dark';
    try {
      localStorage.setItem('brine-theme', now);
    } catch {
      /* as above */
    }
  }
  root.dataset.theme = now;
}
theme();
const main = h('main', { class: 'main', id: 'main', tabindex: '-1' });
const mark = s(
  'svg',
  { viewBox: '0 0 20 20', 'aria-hidden': 'true' },
  s('path', {
    d: 'M2 13q2.700-3 5.300 0t5.300 0t5.300 0',
    fill: 'none',
    stroke: 'var(--accent)',
    'stroke-width': '2.200',
    'stroke-linecap': 'round',
  }),
  s('path', {
    d: 'M2 8q2.700-3 5.300 0t5.300 0t5.300 0',
    fill: 'none',
    stroke: 'var(--accent)',
    'stroke-width': '2.200',
    'stroke-linecap': 'round',
    opacity: '.5',
  }),
);
$('app').append(
  h(
    'header',
    { class: 'bar' },
    h(
      'a',
      {
        class: 'skip-link',
        href: '#main',
        onclick: (ev) => {
          ev.preventDefault();
          main.focus();
        },
      },
      'To the content',
    ),
    h(
      'button',
      {
        class: 'btn back',
        type: 'button',
        onclick: () => {
          location.hash = '';
        },
      },
      '← All scenarios',
    ),
    h('a', { class: 'brand', href: '#' }, mark, 'Brine'),
    h('span', { class: 'closing' }, HEAD.closing),
    h(
      'span',
      { class: 'tools' },
      h('button', { class: 'btn', type: 'button', onclick: () => theme(true), 'aria-label': 'Light or dark' }, 'Light/dark'),
      h('button', { class: 'btn', type: 'button', onclick: () => help.showModal() }, 'Keys'),
    ),
  ),
  side,
  main,
  help,
);
let open;
function show() {
  const r = route(),
    e = entries.get(r.id);
  if (e && open === r.id && main.firstChild.view) {
    const view = main.firstChild.view,
      d = main.firstChild.detail,
      harm = (d.harms || []).find((x) => x.id === r.part);
    if (r.moment !== undefined) view.choose(r.moment);
    else if (harm) view.choose(harm.b, harm.id);
    else $(r.part || '')?.scrollIntoView({ block: 'center' });
    return;
  }
  open = r.id;
  clear(main, e ? scenarioView(e, r) : overview());
  document.body.className = e ? 'detail' : 'home';
  main.scrollTop = 0;
  if (document.body.scrollTop || innerWidth < 900) scrollTo(0, 0);
  document.title = e ? `${e.name}: ${e.status}` : HEAD.title;
  markCurrent(r.id);
}
addEventListener('hashchange', show);
drawList();
if (!location.hash && HEAD.scenarios.length === 1) history.replaceState(null, '', `#${HEAD.scenarios[0].id}`);
show();
