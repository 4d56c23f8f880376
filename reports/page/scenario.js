// sentence sets data in quotes apart.
function sentence(text) {
  return text.split(/("(?:[^"]|"")*")/).map((part, i) => (i % 2 ? h('q', {}, part) : part));
}
// lastOf is the last moment of a step, just before what its end brought about.
const lastOf = (st) => Math.max(st.b, st.e - Math.max(1, Math.min(1000, (st.e - st.b) / 100)));
function failedAt(e, d) {
  const st = e.story && d.steps[e.story.step];
  return st && st.ran ? lastOf(st) : undefined;
}
function verdict(e, d, view) {
  const t = e.story;
  if (!t) return null;
  const row = (label, value, cls) => value && [h('dt', {}, label), h('dd', { class: cls }, value)];
  const moment = failedAt(e, d);
  const st = d.steps[t.step],
    proof = st && (d.evidence || []).filter((x) => x.step && x.step === st.id).flatMap((x) => x.parts || []).find((p) => p.drawn);
  return h(
    'section',
    { class: 'verdict', 'aria-label': 'Why it failed' },
    t.sentence && h('p', { class: 'sentence' }, h('b', {}, sentence(t.sentence))),
    t.lead && h('p', { class: 'headline' }, t.lead),
    h(
      'dl',
      {},
      row('Expected', t.expected, 'val'),
      row('Got', t.got, 'val'),
      row('Tried', t.tried && t.tried.replace(/^tried /, '')),
      (t.harms || []).length > 0 &&
        row(
          'While',
          t.harms.map((x) => h('div', {}, x)),
        ),
      (t.before || []).length > 0 &&
        row(
          'Harm before',
          t.before.map((x) => h('div', {}, x)),
        ),
      (t.ended || []).length > 0 &&
        row(
          'Ended by itself',
          t.ended.map((x) => h('div', {}, x)),
        ),
      row('Hint', t.hint),
    ),
    proof && historyDrawing(proof.drawn, d),
    t.detail && t.detail !== t.headline && h('details', {}, h('summary', {}, 'Whole error'), h('pre', {}, t.detail)),
    (d.around || []).length > 0 && [
      h('h3', { style: { 'margin-top': '.8rem' } }, 'What the services said around then'),
      h(
        'div',
        { class: 'said' },
        d.around.map((l) => logRow(d, l, () => view.choose(l.t))),
      ),
    ],
    moment !== undefined &&
      h(
        'p',
        { style: { 'margin-top': '.6rem' } },
        h(
          'button',
          {
            class: 'btn',
            type: 'button',
            onclick: () => {
              view.choose(moment);
              $('picture').scrollIntoView();
            },
          },
          'Show this moment',
        ),
      ),
  );
}
function stepRow(d, st, i, view) {
  // What proves the failure is drawn in the verdict.
  const evidence = (d.evidence || [])
    .filter((x) => x.step && x.step === st.id)
    .map((x) => (st.status === 'failed' && x.parts ? { ...x, parts: x.parts.filter((p) => !p.drawn) } : x));
  const full = Math.max(d.span, 1);
  return h(
    'li',
    { class: `step ${st.status}`, id: st.id, 'data-step': i },
    glyph(st.status),
    h('div', { class: 'text' }, h('span', { class: 'kw' }, st.keyword), sentence(st.text)),
    st.ran
      ? h(
          'button',
          {
            class: 'wf',
            type: 'button',
            'aria-label': `Show the moment of step ${i + 1}`,
            onclick: () => {
              view.choose(st.b, st.id);
              $('picture').scrollIntoView();
            },
          },
          h('i', { style: { left: `${(100 * st.b) / full}%`, width: `${Math.max(0.5, (100 * (st.e - st.b)) / full)}%` } }),
        )
      : h('span', { class: 'wf' }),
    h('span', { class: 'time' }, st.ran ? span(st.e - st.b) : st.status),
    h(
      'div',
      { class: 'more' },
      (st.choices || []).map((c) => h('div', { class: 'choice' }, `${c.selector}: `, h('b', {}, c.stood), c.how && `, ${c.how}`)),
      st.table &&
        h(
          'table',
          {},
          st.table.map((r) =>
            h(
              'tr',
              {},
              r.map((c) => h('td', {}, c)),
            ),
          ),
        ),
      st.doc && h('pre', { class: 'doc' }, st.doc),
      evidence.map((x) => evidenceRow(x, d)),
    ),
  );
}
function scenarioView(e, target) {
  const d = detailOf(e.id),
    view = newView(d);
  const loose = (d.evidence || []).filter((x) => !d.steps.some((st) => st.id && st.id === x.step));
  const hasPicture = d.span > 0;
  const el = h(
    'article',
    {},
    h(
      'header',
      { class: 'title' },
      glyph(e.status),
      h('h1', {}, e.name),
      h(
        'div',
        { class: 'meta' },
        h('span', {}, e.feature),
        h('span', { class: 'mono' }, `${e.uri}:${e.line}`),
        h('span', {}, span(e.took)),
        h('span', {}, wall(d.began)),
        h('span', {}, `seed ${d.seed}`),
        (e.tags || []).map((t) => h('span', { class: 'tag' }, t)),
      ),
    ),
    d.description && h('p', { class: 'muted', style: { 'margin-top': '.6rem', 'white-space': 'pre-line' } }, d.description),
    verdict(e, d, view),
    e.nothing &&
      h(
        'div',
        { class: 'warnbox' },
        h('b', {}, 'A harm touched nothing. '),
        `${e.nothing.join('; ')}: no packet, call or process met it, so what passed under it proves nothing.`,
      ),
    h(
      'section',
      { class: 'block' },
      h('h2', {}, 'Sentences'),
      h(
        'ol',
        { class: 'steps' },
        d.steps.map((st, i) => stepRow(d, st, i, view)),
      ),
    ),
    loose.length > 0 && h('section', { class: 'block' }, h('h2', {}, 'Between the sentences'), loose.map((x) => evidenceRow(x, d))),
    hasPicture &&
      h(
        'section',
        { class: 'block', id: 'picture' },
        h('h2', {}, 'What happened when'),
        h('div', { class: 'panel' }, timeline(d, view), h('div', { class: 'now' }, topology(d, view), readout(d, view))),
      ),
    (d.harms || []).length > 0 && harmSection(d, view),
    logSection(d, view),
    (d.files || []).length > 0 &&
      h(
        'section',
        { class: 'block' },
        h('h2', {}, 'Artifacts'),
        h(
          'ul',
          { class: 'files' },
          d.files.map((f) => h('li', {}, h('a', { href: f.href }, f.name), f.size && h('small', {}, ` ${f.size}`))),
        ),
        d.files.some((f) => f.raw) &&
          h(
            'p',
            { class: 'muted' },
            'Captures (pcapng) hold packets as they were sent. Secrets are taken out of everything else here, but not out of them: look before you pass one on.',
          ),
      ),
    h('section', { class: 'block' }, h('h2', {}, 'Teardown'), cleanup(d)),
    d.again && h('section', { class: 'block' }, h('h2', {}, 'Run just this again'), copyLine(d.again)),
  );
  requestAnimationFrame(() => {
    const hm = (d.harms || []).find((x) => x.id === target.part),
      st = d.steps.find((x) => x.id && x.id === target.part);
    if (target.moment !== undefined) view.choose(target.moment);
    else if (hm) view.choose(hm.b, hm.id);
    else if (failedAt(e, d) !== undefined) view.choose(failedAt(e, d));
    else if ((d.harms || []).length > 0) view.choose((d.harms[0].b + d.harms[0].e) / 2);
    else view.choose(d.span);
    if (st) {
      const row = $(st.id);
      row.classList.add('lit');
      row.scrollIntoView({ block: 'center' });
    } else if (hm || target.moment !== undefined) $('picture')?.scrollIntoView();
  });
  el.view = view;
  el.detail = d;
  return el;
}
function cleanup(d) {
  const c = d.cleanup;
  if (!c) return h('p', { class: 'muted' }, 'The record does not say what the teardown removed.');
  return [
    d.removed && h('p', {}, `Removed ${d.removed} in ${span(Math.round(c.took_ns / 1000))}.`),
    (c.leftovers || []).length > 0
      ? h('div', { class: 'warnbox' }, h('b', {}, 'Left behind: '), c.leftovers.join(', '))
      : h('p', {}, d.looked ? `Then ${d.looked} were looked for: nothing was left behind.` : 'Nothing was left behind.'),
    (c.errors || []).map((x) => h('p', { class: 'muted' }, x)),
  ];
}
