// One time axis: sentences, harms, services, what clients did, and the log, each a row of bands on the same clock.
function ticks(from, to, room) {
  const steps = [1, 2, 5].flatMap((m) => [1e2, 1e3, 1e4, 1e5, 1e6, 1e7].map((p) => m * p)).concat([15e6, 30e6, 6e7, 12e7, 3e8, 6e8, 18e8, 36e8]).sort((a, b) => a - b);
  const step = steps.find((x) => (to - from) / x <= room) || steps[steps.length - 1], out = [];
  for (let t = Math.ceil(from / step) * step; t <= to; t += step) out.push(t);
  return out;
}
// fits cuts a label to the pixels it has; the narrow ones go.
function fits(text, px) {
  const n = Math.floor(px / 6.3);
  return n < 3 ? '' : text.length <= n ? text : `${text.slice(0, n - 1)}…`;
}
function band(g, p, b, e, opt) {
  const from = Math.max(b, p.view.from), to = Math.min(e, p.view.to);
  if (to < p.view.from || from > p.view.to) return;
  const x = p.x(from), w = Math.max(p.x(to) - x, 3), lit = opt.id && p.view.lit === opt.id;
  g.append(s('g', { class: `band ${lit ? 'lit' : ''}`, 'data-id': opt.id, onpointermove: (ev) => p.tip(ev, opt.tip), onpointerleave: () => p.tip(), onclick: (ev) => { ev.stopPropagation(); opt.click(); } },
    s('rect', { class: opt.cls, x, y: opt.y, width: w, height: opt.h, rx: Math.min(4, opt.h / 3) }), opt.extra && opt.extra(x, w),
    opt.label && s('text', { class: opt.textCls, x: x + 6, y: opt.y + opt.h / 2 + 4, 'pointer-events': 'none' }, fits(opt.label, w - 10))));
}
// lanesShown leaves out, of very many services, those that only started and ran.
function lanesShown(d) {
  const all = d.lanes || [];
  if (all.length <= 24) return all;
  const dull = new Set(['starting', 'running', 'ready', 'follower', 'removed']), hit = new Set((d.harms || []).flatMap((x) => (x.targets || []).length < 20 ? x.targets || [] : []));
  return all.filter((l) => hit.has(l.node) || l.segments.some((g) => !dull.has(g.state))).slice(0, 60);
}
function timelineRows(d) {
  const out = [{ label: 'Sentences', h: 26, draw(g, p, y) {
    d.steps.forEach((st, i) => st.ran && band(g, p, st.b, st.e, { id: st.id, cls: `b-${st.status}`, y: y + 3, h: 20, label: `${i + 1}  ${st.text}`, tip: `${i + 1}. ${st.keyword}${st.text}\n${st.status}, ${span(st.e - st.b)}`,
      click: () => { p.view.choose(lastOf(st), st.id); const r = $(st.id); if (r) r.scrollIntoView({ block: 'center' }); } }));
  } }];
  for (const x of d.harms || []) {
    out.push({ label: x.kind, h: 26, title: x.asked, draw(g, p, y) {
      band(g, p, x.b, x.moment ? Math.max(x.e, x.b + p.px(8)) : x.e, { id: x.id, cls: `b-harm ${x.nothing ? 'nothing' : ''}`, y: y + 3, h: 20, label: `${x.asked} · ${x.receipt}`, tip: `${x.asked}\n${x.receipt}\n${at(x.b)} to ${x.open ? 'the end' : at(x.e)} s${x.why ? `, ${x.why}` : ''}`,
        click: () => p.view.choose(x.b, x.id),
        extra: () => x.first && x.last >= p.view.from && x.first <= p.view.to && s('rect', { class: 'touch', x: p.x(Math.max(x.first, p.view.from)), y: y + 20, height: 3, width: Math.max(2, p.x(Math.min(x.last, p.view.to)) - p.x(Math.max(x.first, p.view.from))) }) });
    } });
  }
  const services = new Set((d.lanes || []).map((l) => l.service));
  const lanes = lanesShown(d);
  for (const l of lanes) {
    out.push({ label: services.size > 1 ? `${l.node} ${l.service}` : l.node, h: 19, draw(g, p, y) {
      for (const seg of l.segments) band(g, p, seg.b, seg.e, { cls: `b-${seg.state}`, y: y + 2, h: 15, label: seg.state, textCls: seg.state === 'leader' ? 'on-leader' : 'm', tip: `${l.node} ${l.service}: ${seg.state}${seg.text ? `, ${seg.text}` : ''}\n${at(seg.b)} to ${at(seg.e)} s`, click: () => p.view.choose(seg.b) });
    } });
  }
  const more = (d.lanes || []).length - lanes.length;
  if (more > 0) out.push({ label: '', h: 19, draw(g, p, y) { g.append(s('text', { class: 'm', x: p.gutter + 4, y: y + 13 }, `and ${plural(more, 'service')} that nothing happened to`)); } });
  return out.concat(seriesRows(d), logDensity(d));
}
function timeline(d, view) {
  const svg = s('svg', { tabindex: '0', role: 'application', 'aria-label': 'Timeline. Left and right move the moment, plus and minus zoom, 0 shows all.' });
  const tip = h('div', { class: 'tip', hidden: true }), legend = h('span', { class: 'grow muted' });
  const tools = h('div', { class: 'ptools' }, legend,
    h('button', { class: 'btn', type: 'button', onclick: () => view.by(0.5), 'aria-label': 'Zoom in' }, '+'),
    h('button', { class: 'btn', type: 'button', onclick: () => view.by(2), 'aria-label': 'Zoom out' }, '−'),
    h('button', { class: 'btn', type: 'button', onclick: () => view.zoom(0, view.full) }, 'All'));
  const box = h('div', { class: 'timeline' }, svg, tip);
  const rowsOf = timelineRows(d);
  let gutter = 120, width = 800, drag;
  const toTime = (px) => view.from + (px - gutter) / (width - gutter - 10) * (view.to - view.from);
  const local = (ev) => ev.clientX - svg.getBoundingClientRect().left;
  function showTip(ev, text) {
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text;
    const r = box.getBoundingClientRect(), x = ev.clientX - r.left, w = tip.offsetWidth;
    tip.style.left = `${Math.max(4, Math.min(x + 12, r.width - w - 6))}px`;
    tip.style.top = `${ev.clientY - r.top + 16}px`;
  }
  function draw() {
    width = Math.max(box.clientWidth - 4, 280); gutter = width < 560 ? 74 : 150;
    const range = view.to - view.from, scale = (width - gutter - 10) / range;
    const p = { view, tip: showTip, width, gutter, x: (t) => gutter + (t - view.from) * scale, px: (n) => n / scale };
    let y = 24;
    const height = y + rowsOf.reduce((sum, r) => sum + r.h, 0) + 6, g = s('g', {});
    for (const t of ticks(view.from, view.to, Math.max(2, (width - gutter) / 90))) {
      g.append(s('line', { class: 'grid', x1: p.x(t), x2: p.x(t), y1: 20, y2: height }), s('text', { class: 'm', x: p.x(t), y: 14, 'text-anchor': p.x(t) > width - 40 ? 'end' : 'middle' }, `${at(t, range)} s`));
    }
    for (const r of rowsOf) {
      g.append(s('text', { class: 'm', x: gutter - 8, y: y + Math.min(r.h / 2 + 4, 17), 'text-anchor': 'end' }, fits(r.label, gutter - 12), s('title', {}, r.title || r.label)));
      r.draw(g, p, y);
      y += r.h;
    }
    if (view.moment !== undefined && view.moment >= view.from && view.moment <= view.to) g.append(s('line', { class: 'moment', x1: p.x(view.moment), x2: p.x(view.moment), y1: 18, y2: height }));
    const hair = s('line', { class: 'hair', y1: 18, y2: height, visibility: 'hidden' }), brush = s('rect', { class: 'brush', y: 18, height: height - 18, visibility: 'hidden' });
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`); svg.style.height = `${height}px`;
    clear(svg, g, hair, brush);
    svg.hair = hair; svg.brush = brush;
    legend.textContent = range < view.full ? `${at(view.from, range)} to ${at(view.to, range)} s` : `${span(view.full)}. Click for a moment, drag for a range.`;
  }
  svg.addEventListener('pointermove', (ev) => {
    const x = local(ev);
    if (x < gutter) return;
    svg.hair.setAttribute('x1', x); svg.hair.setAttribute('x2', x); svg.hair.setAttribute('visibility', 'visible');
    if (drag !== undefined && ev.pointerType === 'mouse') { svg.brush.setAttribute('x', Math.min(drag, x)); svg.brush.setAttribute('width', Math.abs(x - drag)); svg.brush.setAttribute('visibility', 'visible'); }
  });
  svg.addEventListener('pointerleave', () => { svg.hair.setAttribute('visibility', 'hidden'); drag = undefined; svg.brush.setAttribute('visibility', 'hidden'); });
  svg.addEventListener('pointerdown', (ev) => { drag = Math.max(local(ev), gutter); });
  svg.addEventListener('click', (ev) => {
    const x = local(ev), from = drag;
    drag = undefined;
    if (x < gutter) return;
    if (from !== undefined && Math.abs(x - from) > 8) view.zoom(toTime(Math.min(x, from)), toTime(Math.max(x, from))); else view.choose(toTime(x));
  }, true);
  svg.addEventListener('wheel', (ev) => { if (ev.ctrlKey || ev.metaKey) { ev.preventDefault(); view.by(ev.deltaY > 0 ? 1.25 : 0.8, toTime(local(ev))); } }, { passive: false });
  svg.addEventListener('keydown', (ev) => {
    const step = (view.to - view.from) / (ev.shiftKey ? 10 : 60), now = view.moment ?? view.from;
    const act = { ArrowLeft: () => view.choose(now - step), ArrowRight: () => view.choose(now + step), '+': () => view.by(0.5), '=': () => view.by(0.5), '-': () => view.by(2), 0: () => view.zoom(0, view.full) }[ev.key];
    if (act) { ev.preventDefault(); ev.stopPropagation(); act(); }
  });
  view.on(draw);
  new ResizeObserver(draw).observe(box);
  return [tools, box];
}
