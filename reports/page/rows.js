// One time axis: sentences, harms, services, what clients did, and the log, each a row of bands on the same clock.
function ticks(from, to, room) {
  const steps = [1, 2, 5]
    .flatMap((m) => [1e2, 1e3, 1e4, 1e5, 1e6, 1e7].map((p) => m * p))
    .concat([15e6, 30e6, 6e7, 12e7, 3e8, 6e8, 18e8, 36e8])
    .sort((a, b) => a - b);
  const step = steps.find((x) => (to - from) / x <= room) || steps[steps.length - 1],
    out = [];
  for (let t = Math.ceil(from / step) * step; t <= to; t += step) out.push(t);
  return out;
}
// fits cuts a label to the pixels it has; the narrow ones go.
function fits(text, px) {
  const n = Math.floor(px / 6.3);
  return n < 3 ? '' : text.length <= n ? text : `${text.slice(0, n - 1)}…`;
}
// squeezed cuts a name to the pixels it has in its middle: its end is what tells it from others.
function squeezed(text, px) {
  const n = Math.max(3, Math.floor(px / 6.3)),
    head = Math.floor((n - 1) / 2);
  return text.length <= n ? text : `${text.slice(0, head)}…${text.slice(text.length - (n - 1 - head))}`;
}
function band(g, p, b, e, opt) {
  const from = Math.max(b, p.view.from),
    to = Math.min(e, p.view.to);
  if (to < p.view.from || from > p.view.to) return;
  const x = p.x(from),
    w = Math.max(p.x(to) - x, 3),
    lit = opt.id && p.view.lit === opt.id;
  g.append(
    s(
      'g',
      {
        class: `band ${lit ? 'lit' : ''}`,
        'data-id': opt.id,
        onpointermove: (ev) => p.tip(ev, opt.tip),
        onpointerleave: () => p.tip(),
        onclick: (ev) => {
          ev.stopPropagation();
          opt.click();
        },
      },
      s('rect', { class: opt.cls, x, y: opt.y, width: w, height: opt.h, rx: Math.min(4, opt.h / 3) }),
      opt.extra && opt.extra(x, w),
      opt.label && bandLabel(p, opt, x, w),
    ),
  );
}
// A label that does not fit its band stands beside it, where nothing else is in the row.
function bandLabel(p, opt, x, w) {
  const right = p.width - 10 - (x + w + 5),
    left = x - p.gutter - 5,
    y = opt.y + opt.h / 2 + 4,
    text = (at0, px, anchor) => s('text', { class: opt.textCls, x: at0, y, 'text-anchor': anchor, 'pointer-events': 'none' }, fits(opt.label, px));
  if (!opt.alone || opt.label.length * 6.3 <= w - 10 || Math.max(right, left) <= w) return text(x + 6, w - 10, 'start');
  return right >= left ? text(x + w + 5, right, 'start') : text(x - 5, left, 'end');
}
// lanesShown leaves out, of very many services, those that only started and ran.
function lanesShown(d) {
  const all = d.lanes || [];
  if (all.length <= 24) return all;
  const dull = new Set(['starting', 'running', 'ready', 'follower', 'removed']),
    hit = new Set((d.harms || []).flatMap((x) => ((x.targets || []).length < 20 ? x.targets || [] : [])));
  return all.filter((l) => hit.has(l.node) || l.segments.some((g) => !dull.has(g.state))).slice(0, 60);
}
// harmRows gives each harm its row; of many those of one kind that were not on at the same time share one.
function harmRows(d) {
  const all = d.harms || [];
  if (all.length <= 8) return all.map((x) => ({ kind: x.kind, all: [x] }));
  const out = [];
  for (const x of [...all].sort((a, b) => a.kind.localeCompare(b.kind) || a.b - b.b)) {
    const gap = d.span / 100,
      row = out.find((r) => r.kind === x.kind && r.end + gap <= x.b);
    if (row) row.all.push(x);
    else out.push({ kind: x.kind, all: [x], low: true });
    (row || out[out.length - 1]).end = x.e;
  }
  return out;
}
// harmName is what tells a harm from others that one sentence brought.
function harmName(x, d) {
  return x.detail && (d.harms || []).filter((o) => o.asked === x.asked).length > 1 ? x.detail : x.asked;
}
function harmBand(g, p, y, x, tall, d, alone) {
  band(g, p, x.b, x.moment ? Math.max(x.e, x.b + p.px(8)) : x.e, {
    id: x.id,
    cls: `b-harm ${x.nothing ? 'nothing' : ''}`,
    y: y + 3,
    h: tall,
    alone,
    label: `${harmName(x, d)} · ${x.receipt}`,
    tip: `${x.asked}${x.detail ? `\n${x.detail}` : ''}\n${x.receipt}\n${at(x.b)} to ${x.open ? 'the end' : at(x.e)} s${x.why ? `, ${x.why}` : ''}`,
    click: () => p.view.choose(x.b, x.id),
    extra: () =>
      x.first &&
      x.last >= p.view.from &&
      x.first <= p.view.to &&
      s('rect', {
        class: 'touch',
        x: p.x(Math.max(x.first, p.view.from)),
        y: y + tall,
        height: 3,
        width: Math.max(2, p.x(Math.min(x.last, p.view.to)) - p.x(Math.max(x.first, p.view.from))),
      }),
  });
}
function timelineRows(d) {
  const out = [
    {
      label: 'Sentences',
      h: 26,
      draw(g, p, y) {
        d.steps.forEach(
          (st, i) =>
            st.ran &&
            band(g, p, st.b, st.e, {
              id: st.id,
              cls: `b-${st.status}`,
              y: y + 3,
              h: 20,
              label: `${i + 1}  ${st.text}`,
              tip: `${i + 1}. ${st.keyword}${st.text}\n${st.status}, ${span(st.e - st.b)}`,
              click: () => {
                p.view.choose(lastOf(st), st.id);
                const r = $(st.id);
                if (r) r.scrollIntoView({ block: 'center' });
              },
            }),
        );
      },
    },
  ];
  for (const row of harmRows(d)) {
    const low = row.all.length > 1 || row.low;
    out.push({
      label: row.kind,
      h: low ? 20 : 26,
      title: row.all.map((x) => x.asked).join('\n'),
      draw(g, p, y) {
        for (const x of row.all) harmBand(g, p, y, x, low ? 14 : 20, d, row.all.length === 1);
      },
    });
  }
  const services = new Set((d.lanes || []).map((l) => l.service));
  const lanes = lanesShown(d);
  for (const l of lanes) {
    out.push({
      label: services.size > 1 ? laneName(l) : l.node,
      h: 19,
      draw(g, p, y) {
        for (const seg of l.segments)
          band(g, p, seg.b, seg.e, {
            cls: `b-${seg.state}`,
            y: y + 2,
            h: 15,
            label: seg.state,
            textCls: seg.state === 'leader' ? 'on-leader' : 'm',
            tip: `${laneName(l)}: ${seg.state}${seg.text ? `, ${seg.text}` : ''}\n${at(seg.b)} to ${at(seg.e)} s`,
            click: () => p.view.choose(seg.b),
          });
      },
    });
  }
  const more = (d.lanes || []).length - lanes.length;
  if (more > 0)
    out.push({
      label: '',
      h: 19,
      draw(g, p, y) {
        g.append(s('text', { class: 'm', x: p.gutter + 4, y: y + 13 }, `and ${plural(more, 'service')} that nothing happened to`));
      },
    });
  return out.concat(seriesRows(d), logDensity(d));
}
