const KIND = { http: 'HTTP', command: 'Command', operation: 'Client', attachment: 'Attached', note: 'Note', check: 'Check', line: 'Log' };
function evidenceRow(x, d) {
  const head = [h('span', { class: 'kind' }, KIND[x.kind] || x.kind), x.title];
  if (!x.parts) return h('div', { class: `ev flat ${x.bad ? 'bad' : ''}` }, head);
  return h(
    'details',
    { class: `ev ${x.bad ? 'bad' : ''}` },
    h('summary', {}, head),
    x.parts.map((p) =>
      h(
        'div',
        { class: 'part' },
        p.label && h('h3', {}, p.label),
        p.drawn
          ? historyDrawing(p.drawn, d)
          : p.href
          ? h('a', { href: p.href }, p.text || p.label)
          : p.image
            ? h('img', { src: p.image, alt: x.title })
            : h(
                'pre',
                { tabindex: '0' },
                p.diff
                  ? p.text.split('\n').map((l) => h('span', { class: l[0] === '+' ? 'plus' : l[0] === '-' ? 'minus' : '' }, `${l}\n`))
                  : p.text,
              ),
      ),
    ),
  );
}
function harmSection(d, view) {
  return h(
    'section',
    { class: 'block' },
    h('h2', {}, 'Harm and what it really touched'),
    h(
      'ol',
      { class: 'steps' },
      d.harms.map((x) =>
        h(
          'li',
          { class: 'step harm', id: x.id },
          h(
            'span',
            { class: `g ${x.nothing ? 'pending' : 'passed'}`, title: x.nothing ? 'touched nothing' : 'touched' },
            x.nothing ? '!' : '✓',
          ),
          h('div', { class: 'text' }, sentence(x.asked), x.detail && h('span', { class: 'muted' }, ` (${x.detail})`)),
          h(
            'button',
            {
              class: 'btn',
              type: 'button',
              onclick: () => {
                view.choose(x.b, x.id);
                $('picture').scrollIntoView();
              },
            },
            at(x.b),
          ),
          h('span', { class: 'time' }, x.moment ? 'momentary' : span(x.e - x.b)),
          h(
            'div',
            { class: 'more' },
            h(
              'div',
              { class: 'choice' },
              h('b', {}, x.receipt),
              x.first ? `, first ${x.first - x.b < 1000 ? 'at once' : `after ${span(x.first - x.b)}`}, last at ${at(x.last)} s` : '',
            ),
            h(
              'div',
              { class: 'choice' },
              x.open ? 'Still on when the record ends.' : x.moment ? '' : `Ended after ${span(x.e - x.b)}: ${x.why || 'no reason given'}.`,
              x.proof && ` Proved by ${x.proof}.`,
              x.error && ` Healing failed: ${x.error}`,
            ),
            (x.perlink || []).length > 0 &&
              h(
                'details',
                { class: 'ev' },
                h('summary', {}, plural(x.perlink.length, 'link')),
                h(
                  'table',
                  {},
                  x.perlink.map((l) => h('tr', {}, h('td', {}, `${l.from} → ${l.to}`), h('td', {}, l.what))),
                ),
              ),
          ),
        ),
      ),
    ),
  );
}
