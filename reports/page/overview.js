function copyLine(text) {
  const button = h(
    'button',
    {
      class: 'btn',
      type: 'button',
      onclick: async () => {
        try {
          await navigator.clipboard.writeText(text);
          button.textContent = 'Copied';
        } catch {
          getSelection().selectAllChildren(code);
          button.textContent = 'Selected';
        }
        setTimeout(() => {
          button.textContent = 'Copy';
        }, 1500);
      },
    },
    'Copy',
  );
  const code = h('code', {}, text);
  return h('div', { class: 'again' }, code, button);
}
// changesSection tells what is different from an earlier run.
function changesSection(c) {
  const kinds = [
    ['Newly failing', c.failing],
    ['Fixed', c.fixed],
    ['Slower', c.slower],
    ['Faster', c.faster],
    ['New', c.new],
    ['Gone', c.gone],
  ].filter((k) => k[1]);
  return h(
    'section',
    {},
    h('h2', {}, `Since run ${c.before}`),
    kinds.length === 0 && h('p', { class: 'muted' }, 'Nothing changed.'),
    h(
      'dl',
      { class: 'changes' },
      kinds.map(([name, all]) => [
        h('dt', {}, `${all.length} ${name.toLowerCase()}`),
        h(
          'dd',
          {},
          h(
            'ul',
            {},
            all
              .slice(0, 50)
              .map((x) =>
                h('li', {}, x.id ? h('a', { href: `#${x.id}` }, x.name) : x.name, x.text && h('span', { class: 'muted' }, ` ${x.text}`)),
              ),
          ),
        ),
      ]),
    ),
  );
}
function overview() {
  const failed = HEAD.scenarios.filter((e) => e.story),
    nothing = HEAD.scenarios.filter((e) => e.nothing);
  const slow = [...HEAD.scenarios].sort((a, b) => b.took - a.took).slice(0, 8),
    most = Math.max(1, ...slow.map((e) => e.took));
  const total = HEAD.scenarios.length;
  const title =
    total === 0
      ? 'No scenario ran'
      : failed.length > 0
        ? `${failed.length} of ${plural(total, 'scenario')} failed`
        : HEAD.ok
          ? `${total === 1 ? 'The scenario' : `All ${total} scenarios`} passed`
          : 'No scenario failed, but the run is not sound';
  return h(
    'div',
    { class: 'sections' },
    h(
      'section',
      {},
      h('h1', {}, title),
      h(
        'div',
        { class: 'share', role: 'img', 'aria-label': HEAD.closing },
        HEAD.counts && HEAD.counts.map((c) => h('i', { class: c.status, style: { flex: String(c.n) } })),
      ),
      h(
        'div',
        { class: 'legend' },
        (HEAD.counts || []).map((c) => h('span', {}, glyph(c.status), `${c.n} ${c.status}`)),
        h('span', {}, span(HEAD.took)),
        h('span', {}, wall(HEAD.began)),
      ),
      HEAD.touched && h('p', { class: 'touched' }, h('b', {}, 'Harm: '), HEAD.touched, '.'),
      (HEAD.trouble || []).map((t) => h('p', { class: 'trouble' }, t)),
    ),
    HEAD.changes && changesSection(HEAD.changes),
    failed.length > 0 &&
      h(
        'section',
        {},
        h('h2', {}, 'What broke'),
        h(
          'div',
          { class: 'cards' },
          failed.map((e) =>
            h(
              'a',
              { class: 'card', href: `#${e.id}` },
              h('div', {}, glyph(e.status), ' ', h('b', {}, e.name)),
              e.story.sentence && h('div', {}, e.story.sentence),
              h('div', { class: 'why' }, e.story.headline),
              (e.story.harms || []).map((x) => h('div', { class: 'where' }, `while ${x}`)),
              h('div', { class: 'where' }, `${e.uri}:${e.line}`),
            ),
          ),
        ),
      ),
    nothing.length > 0 &&
      h(
        'section',
        {},
        h('h2', {}, 'Harm that touched nothing'),
        h('p', { class: 'muted' }, 'The fault was on, but no packet, call or process met it. What passed under it proves nothing.'),
        h(
          'div',
          { class: 'cards' },
          nothing.map((e) =>
            h(
              'a',
              { class: 'card', href: `#${e.id}` },
              h('div', {}, glyph(e.status), ' ', h('b', {}, e.name)),
              e.nothing.map((x) => h('div', {}, x)),
            ),
          ),
        ),
      ),
    total > 1 &&
      h(
        'section',
        {},
        h('h2', {}, 'Longest'),
        h(
          'div',
          { class: 'bars' },
          slow.map((e) =>
            h(
              'a',
              { href: `#${e.id}` },
              h('span', { class: 'name' }, e.name),
              h('span', {}, h('i', { class: bad(e.status) && 'bad', style: { width: `${(100 * e.took) / most}%` } })),
              h('span', { class: 'time' }, span(e.took)),
            ),
          ),
        ),
      ),
    HEAD.again && h('section', {}, h('h2', {}, 'Run it again'), copyLine(HEAD.again)),
    h(
      'section',
      {},
      h('h2', {}, 'Run and machine'),
      h(
        'dl',
        { class: 'facts' },
        HEAD.facts.map((f) => h('div', {}, h('dt', {}, f.name), h('dd', {}, f.value))),
      ),
      h(
        'p',
        { class: 'muted' },
        'All of this comes from ',
        HEAD.records.map((r, i) => [i > 0 && ', ', h('a', { href: r.href }, r.name)]),
        '.',
      ),
    ),
  );
}
