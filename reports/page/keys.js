const KEYS = [
  ['/', 'search'],
  ['j  k', 'next, previous scenario'],
  ['n', 'next failed scenario'],
  ['o', 'overview'],
  ['p', 'pictures'],
  ['l', 'log'],
  ['t', 'light or dark'],
  ['?', 'this help'],
];
const help = h(
  'dialog',
  { 'aria-label': 'Keys' },
  h('h2', {}, 'Keys'),
  h(
    'dl',
    { class: 'keys' },
    KEYS.map(([k, what]) => [
      h(
        'dt',
        {},
        k.split('  ').map((x) => [h('kbd', {}, x), ' ']),
      ),
      h('dd', {}, what),
    ]),
    h('dt', {}, h('kbd', {}, '←'), ' ', h('kbd', {}, '→')),
    h('dd', {}, 'move the moment, in the timeline'),
    h('dt', {}, h('kbd', {}, '↑'), ' ', h('kbd', {}, '↓')),
    h('dd', {}, 'move from line to line, in the log'),
  ),
  h('form', { method: 'dialog' }, h('button', { class: 'btn' }, 'Close')),
);
function go(step, only = () => true) {
  const all = visible().filter((e) => only(e) || e.id === route().id),
    i = all.findIndex((e) => e.id === route().id);
  const next = i < 0 ? all[step > 0 ? 0 : all.length - 1] : all[(i + step + all.length) % all.length];
  if (next) location.hash = next.id;
}
addEventListener('keydown', (ev) => {
  if (ev.ctrlKey || ev.metaKey || ev.altKey) return;
  if (ev.key === 'Escape' && ev.target === search) {
    search.value = '';
    filter.text = '';
    drawList();
    search.blur();
    return;
  }
  if (ev.target.closest('input, select, textarea, dialog')) return;
  const act = {
    '/': () => search.focus(),
    j: () => go(1),
    k: () => go(-1),
    n: () => go(1, (e) => e.story),
    o: () => {
      location.hash = '';
    },
    p: () => $('picture')?.scrollIntoView(),
    l: () => $('logs')?.scrollIntoView(),
    t: () => theme(true),
    '?': () => help.showModal(),
  }[ev.key];
  if (act) {
    ev.preventDefault();
    act();
  }
});
