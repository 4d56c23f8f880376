// The history checker's drawing: a row per client, the operations that prove the violation, those near them, and the
// harms that were on. Places are by the order of events, not to scale, so that what took microseconds can be read.
function historyDrawing(all, d) {
  // Rows are clients; the node that was asked stands in the bar. What all operations name, as their one key, is left out.
  const key = (all[0].x.match(/"(?:[^"\\]|\\.)*"/g) || []).find((k) => all.every((o) => o.x.includes(` ${k}`))),
    ops = all.map((o) => {
      const [w, node] = o.w.split(' on ');
      return { ...o, whole: `${o.x}\n${o.w}`, w, x: `${key ? o.x.replace(new RegExp(` (?:of|to|from|on) ${key.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`), '') : o.x}${node ? ` · ${node}` : ''}` };
    });
  const who = [...new Set(ops.map((o) => o.w))].sort((a, b) => a.localeCompare(b, 'en', { numeric: true })),
    known = ops.filter((o) => o.e !== undefined),
    first = Math.min(...ops.map((o) => o.b)),
    last = Math.max(first, ...known.map((o) => o.e), ...ops.map((o) => o.b)),
    harms = (d.harms || []).filter((x) => x.b <= last && x.e >= first && !x.moment).slice(0, 12);
  const open = last + Math.max(1, (last - first) * 1e-6);
  const times = [...new Set([...ops.flatMap((o) => [o.b, o.e ?? open]), ...harms.flatMap((x) => [Math.max(x.b, first), Math.min(x.e, last)])])].sort(
    (a, b) => a - b,
  );
  const column = new Map(times.map((t, i) => [t, i])),
    gaps = new Array(times.length).fill(13);
  const label = (o) => `${o.n ? `${o.n}  ` : ''}${o.x}`,
    room = (o) => Math.min(label(o).length, 30) * 6.4 + 16;
  for (const o of [...ops].sort((a, b) => (a.e ?? open) - (b.e ?? open))) {
    const from = column.get(o.b),
      to = column.get(o.e ?? open);
    let has = 0;
    for (let i = from; i < to; i++) has += gaps[i];
    if (has < room(o) && to > from) gaps[to - 1] += room(o) - has;
  }
  const x = [10];
  for (let i = 0; i < times.length - 1; i++) x.push(x[i] + gaps[i]);
  const at0 = (t) => x[column.get(t)],
    width = x[x.length - 1] + 14,
    top = 24 + harms.length * 17,
    rowH = 30,
    height = top + who.length * rowH + 22;
  const svg = s('svg', { width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' });
  harms.forEach((hm, i) => {
    const b = at0(Math.max(hm.b, first)),
      e = at0(Math.min(hm.e, last));
    svg.append(
      s('rect', { class: 'hd-harm', x: b, y: 4 + i * 17, width: Math.max(e - b, 3), height: height - 24 - i * 17 }),
      s('text', { class: 'hd-harmtext', x: b + 5, y: 16 + i * 17 }, hm.asked),
    );
  });
  who.forEach((w, i) => svg.append(s('line', { class: 'grid', x1: 0, x2: width, y1: top + i * rowH + rowH, y2: top + i * rowH + rowH })));
  // One whose end nobody knows lies under what its client did next.
  for (const o of [...ops].sort((a, b) => (b.e === undefined) - (a.e === undefined))) {
    const b = at0(o.b),
      e = at0(o.e ?? open),
      y = top + who.indexOf(o.w) * rowH + 4,
      when = `${at(o.b, 1e3)} s to ${o.e === undefined ? 'nobody knows' : `${at(o.e, 1e3)} s, ${span(Math.round(o.e - o.b))}`}`;
    svg.append(
      s(
        'g',
        { class: `hd-op ${o.p ? 'proof' : ''} ${o.e === undefined ? 'open' : ''}` },
        s('rect', { x: b, y, width: Math.max(e - b, 4), height: rowH - 8, rx: 4 }),
        s('text', { x: b + 7, y: y + 15 }, fits(label(o), Math.max(e - b, room(o)) - 8)),
        s('title', {}, `${o.whole}\n${when}${o.n ? `\nplace ${o.n} in the order` : ''}`),
      ),
    );
  }
  const ends = [first, last];
  ends.forEach((t, i) =>
    svg.append(
      s('text', { class: 'm', x: i ? width - 12 : 10, y: height - 6, 'text-anchor': i ? 'end' : 'start' }, `${at(t, 1e6)} s`),
    ),
  );
  const scroll = h('div', { class: 'hd-scroll', tabindex: '0', role: 'img', 'aria-label': 'Drawing of the history; the list below says the same.' }, svg);
  const proofs = ops.filter((o) => o.p).sort((a, b) => a.b - b.b);
  requestAnimationFrame(() => {
    if (proofs.length > 0) scroll.scrollLeft = Math.max(0, at0(proofs[0].b) - 60);
  });
  const placed = ops.some((o) => o.n);
  return h(
    'figure',
    { class: 'history' },
    h(
      'div',
      { class: 'hd' },
      h(
        'div',
        { class: 'hd-who', style: { 'padding-top': `${top}px` } },
        who.map((w) => h('div', { style: { height: `${rowH}px` } }, w)),
      ),
      scroll,
    ),
    h(
      'figcaption',
      {},
      h('span', { class: 'hd-key proof' }, 'the proof'),
      ops.some((o) => !o.p) && h('span', { class: 'hd-key' }, 'near it'),
      ops.some((o) => o.e === undefined) && h('span', { class: 'hd-key open' }, 'end unknown'),
      harms.map((x) => h('span', { class: 'hd-key harm' }, x.asked)),
      key && h('span', {}, `key ${key}`),
      h('span', {}, placed ? 'Numbers: the longest order that explains what was returned. ' : '', 'Not to scale.'),
    ),
    h(
      'details',
      {},
      h('summary', {}, 'The proof as a list'),
      h(
        'ol',
        { class: 'hd-list' },
        proofs.map((o) =>
          h('li', {}, h('b', {}, o.x), ` ${o.w}, ${at(o.b, 1e3)} s${o.e === undefined ? ', end unknown' : ` to ${at(o.e, 1e3)} s`}`),
        ),
      ),
    ),
  );
}
