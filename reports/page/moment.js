// What was going on at a moment: harms, links, states, in words too.
const RANK = { cut: 3, lossy: 2, slow: 1 };
function harmsAt(d, t) {
  return (d.harms || []).filter((x) => x.b <= t && (x.moment ? t <= x.b : t < x.e || x.open || (x.e === d.span && t <= x.e)));
}
function linksAt(d, t) {
  const out = new Map();
  for (const x of harmsAt(d, t)) {
    const healed = new Set((x.releases || []).filter((r) => r.t <= t).flatMap((r) => r.links.map((l) => l.join('>'))));
    for (const l of x.links || []) {
      const key = l.join('>'),
        was = out.get(key);
      if (!healed.has(key) && RANK[x.effect] && (!was || RANK[was.effect] < RANK[x.effect])) out.set(key, { effect: x.effect, harm: x });
    }
  }
  return out;
}
function stateAt(d, node, t) {
  const states = (d.lanes || [])
    .filter((l) => l.node === node)
    .map((l) => l.segments.filter((g) => g.b <= t).pop())
    .filter(Boolean);
  const order = ['oom', 'exited', 'stopped', 'removed', 'paused', 'starting', 'leader', 'follower', 'ready', 'running'];
  return states.sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state))[0];
}
const laneName = (l) => (l.node === l.service ? l.node : `${l.node} ${l.service}`);
// servicesAt lists the services with their states; of many only those that are not simply ready.
function servicesAt(d, t) {
  const all = d.lanes.map((l) => ({ l, g: l.segments.filter((x) => x.b <= t).pop() }));
  const some = all.length <= 8 ? all : all.filter((x) => !x.g || !['ready', 'running', 'follower'].includes(x.g.state));
  return h(
    'ul',
    {},
    some
      .slice(0, 20)
      .map(({ l, g }) => h('li', {}, `${laneName(l)}: ${g ? g.state : 'not there yet'}${g && g.text ? `, ${g.text}` : ''}`)),
    some.length < all.length && h('li', { class: 'muted' }, `${all.length - some.length} ready or running`),
    some.length > 20 && h('li', { class: 'muted' }, `and ${some.length - 20} more`),
  );
}
// readout says in words what the pictures show at the moment.
function readout(d, view) {
  const el = h('div', { class: 'readout', 'aria-live': 'polite' });
  view.on(() => {
    const t = view.moment ?? 0,
      within = d.steps.findLast((x) => x.ran && x.b <= t && t <= x.e),
      st = within || d.steps.findLast((x) => x.ran && x.b <= t),
      on = harmsAt(d, t),
      id = route().id;
    clear(
      el,
      h(
        'div',
        {},
        h('b', {}, `${at(t, view.to - view.from)} s`),
        ' ',
        h('span', { class: 'muted' }, wall(d.began + t / 1000)),
        ' ',
        h('a', { href: `#${id}@${(t / 1e6).toFixed(3)}` }, 'link'),
      ),
      st && h('div', {}, h('h3', {}, within ? 'Sentence' : 'After the sentence'), `${st.keyword}${st.text}`),
      h(
        'div',
        {},
        h('h3', {}, 'Harm that is on'),
        on.length === 0
          ? 'none'
          : h(
              'ul',
              {},
              on.slice(0, 12).map((x) => h('li', {}, h('b', {}, x.asked), x.detail ? ` (${x.detail})` : '', `: ${x.receipt}`)),
              on.length > 12 && h('li', { class: 'muted' }, `and ${on.length - 12} more`),
            ),
      ),
      h('div', {}, h('h3', {}, 'Services'), (d.lanes || []).length === 0 ? 'no states recorded' : servicesAt(d, t)),
    );
  });
  return el;
}
