// What clients did, and what was measured, as rows of the timeline.
function seriesRows(d) {
  const out = [],
    o = d.series;
  if (o) {
    const n = o.ok.length,
      per = 1e6 / o.dt,
      sum = o.ok.map((v, i) => v + o.failed[i] + o.unknown[i]),
      most = Math.max(1, ...sum);
    const about = (i) =>
      `${at(i * o.dt)} s: ${Math.round(sum[i] * per)} operations per second\n${o.ok[i]} ok, ${o.failed[i]} failed, ${o.unknown[i]} unknown in ${span(o.dt)}${o.p50[i] >= 0 ? `\np50 ${span(o.p50[i])}, p99 ${span(o.p99[i])}` : ''}`;
    const over = (g, p, y, height) =>
      g.append(
        s('rect', {
          x: p.gutter,
          y,
          width: p.width - p.gutter - 10,
          height,
          fill: 'transparent',
          onpointerleave: () => p.tip(),
          onpointermove: (ev) => {
            const t =
                p.view.from +
                ((ev.clientX - g.ownerSVGElement.getBoundingClientRect().left - p.gutter) / (p.width - p.gutter - 10)) *
                  (p.view.to - p.view.from),
              i = Math.floor(t / o.dt);
            p.tip(ev, i >= 0 && i < n ? about(i) : '');
          },
        }),
      );
    out.push({
      label: `Operations/s`,
      h: 58,
      title: `${o.total} operations; the highest point is ${Math.round(most * per)} per second`,
      draw(g, p, y) {
        const base = y + 52,
          scale = 46 / most;
        for (let i = 0; i < n; i++) {
          const x = p.x(i * o.dt),
            w = p.x((i + 1) * o.dt) - x;
          if (x + w < p.gutter || x > p.width - 10 || !sum[i]) continue;
          let top = base;
          for (const [v, cls] of [
            [o.ok[i], 's-ok'],
            [o.unknown[i], 's-unknown'],
            [o.failed[i], 's-failed'],
          ]) {
            if (!v) continue;
            const left = Math.max(x, p.gutter),
              hh = Math.max(v * scale, 1.5);
            g.append(
              s('rect', { class: cls, x: left, y: top - hh, width: Math.max(Math.min(x + w, p.width - 10) - left - 0.4, 0.6), height: hh }),
            );
            top -= hh;
          }
        }
        g.append(s('text', { class: 'm', x: p.gutter + 3, y: y + 12 }, `${Math.round(most * per)}`));
        over(g, p, y, 56);
      },
    });
    const worst = Math.max(...o.p99);
    if (worst > 0)
      out.push({
        label: 'Latency',
        h: 50,
        title: 'p50 and p99 of acknowledged operations, on a logarithmic scale',
        draw(g, p, y) {
          const low = Math.log(Math.max(Math.min(...o.p50.filter((v) => v >= 0)), 1)),
            high = Math.max(Math.log(worst), low + 1);
          for (const [values, cls] of [
            [o.p99, 'l-p99'],
            [o.p50, 'l-p50'],
          ]) {
            let path = '',
              pen = false;
            values.forEach((v, i) => {
              const x = p.x((i + 0.5) * o.dt);
              if (v < 0 || x < p.gutter || x > p.width - 10) {
                pen = false;
                return;
              }
              path += `${pen ? 'L' : 'M'}${x.toFixed(1)} ${(y + 44 - (38 * (Math.log(Math.max(v, 1)) - low)) / (high - low)).toFixed(1)}${pen ? '' : 'h.01'}`;
              pen = true;
            });
            g.append(s('path', { class: cls, d: path, 'stroke-linecap': 'round' }));
          }
          g.append(s('text', { class: 'm', x: p.gutter + 3, y: y + 12 }, `p50, p99 up to ${span(worst)}`));
          over(g, p, y, 48);
        },
      });
  }
  if ((d.calls || []).length > 0)
    out.push({
      label: 'Client calls',
      h: 22,
      draw(g, p, y) {
        for (const x of d.calls)
          band(g, p, x.b, x.e, {
            cls: `c-${x.o}`,
            y: y + 4,
            h: 13,
            tip: `${x.x}\n${at(x.b)} to ${at(x.e)} s`,
            click: () => p.view.choose(x.b),
          });
      },
    });
  for (const m of d.samples || []) out.push(sampleRow(m));
  return out;
}
// A measured series: a rate as an area with what went wrong of it in red, anything else as a line.
function sampleRow(m) {
  const bad = new Map((m.bad || []).map((v) => [v[0], v[1]])),
    points = m.points || [],
    most = Math.max(...points.map((v) => v[1]), 0),
    rate = m.unit === 'per second',
    scale = 30 / (most || 1),
    say = (v) => `${Number(v.toPrecision(3))} ${m.unit || ''}`.trim();
  const failed = Math.max(0, ...bad.values());
  return {
    label: m.name,
    h: 44,
    draw(g, p, y) {
      const base = y + 39,
        seen = points.filter((v, i) => (points[i + 1] || v)[0] >= p.view.from && (points[i - 1] || v)[0] <= p.view.to);
      let path = '',
        last;
      for (const v of seen) {
        const px = Math.min(Math.max(p.x(v[0]), p.gutter), p.width - 10).toFixed(1),
          py = (base - v[1] * scale).toFixed(1);
        // A rate that is not told for a while was none.
        if (rate && last !== undefined && v[0] - last > 2.2e6) {
          path += `V${base}H${Math.max(p.x(v[0] - 1e6), p.gutter).toFixed(1)}`;
        }
        path += last === undefined ? `M${px} ${rate ? base : py}${rate ? `V${py}` : ''}` : rate ? `L${px} ${py}` : `L${px} ${py}`;
        last = v[0];
      }
      if (seen.length === 1) path += 'h1.5';
      if (rate && path) {
        g.append(s('path', { class: 's-rate', d: `${path}V${base}Z` }));
        for (const v of seen)
          if (bad.get(v[0]) > 0)
            g.append(s('rect', { class: 's-failed', x: p.x(v[0]) - 3, width: 5, y: base - bad.get(v[0]) * scale, height: bad.get(v[0]) * scale }));
      } else g.append(s('path', { class: 'l-p50', d: path }));
      g.append(
        s('text', { class: 'm halo', x: p.gutter + 3, y: y + 12 }, `up to ${say(most)}${failed > 0 ? `, ${say(failed)} failed` : ''}`),
        s('rect', {
          x: p.gutter,
          y,
          width: p.width - p.gutter - 10,
          height: 42,
          fill: 'transparent',
          onpointerleave: () => p.tip(),
          onpointermove: (ev) => {
            const t =
              p.view.from +
              ((ev.clientX - g.ownerSVGElement.getBoundingClientRect().left - p.gutter) / (p.width - p.gutter - 10)) * (p.view.to - p.view.from);
            const near = points.reduce((best, v) => (!best || Math.abs(v[0] - t) < Math.abs(best[0] - t) ? v : best), undefined);
            p.tip(ev, near && `${m.name}\n${at(near[0])} s: ${say(near[1])}${bad.has(near[0]) ? `, ${say(bad.get(near[0]))} failed` : ''}`);
          },
        }),
      );
    },
  };
}
// logDensity marks warnings and errors where they were logged.
function logDensity(d) {
  const lines = (d.log && d.log.lines) || [];
  if (lines.length === 0) return [];
  return [
    {
      label: 'Log',
      h: 22,
      draw(g, p, y) {
        const seen = new Map();
        for (const l of lines) {
          if (l.t < p.view.from || l.t > p.view.to) continue;
          const x = Math.round(p.x(l.t) / 3) * 3,
            rank = l.l === 'e' ? 2 : l.l === 'w' ? 1 : 0,
            was = seen.get(x) || { n: 0, rank: 0, t: l.t };
          was.n++;
          was.rank = Math.max(was.rank, rank);
          seen.set(x, was);
        }
        for (const [x, c] of seen)
          g.append(
            s('rect', {
              class: ['d-i', 'd-w', 'd-e'][c.rank],
              x,
              y: y + 18 - Math.min(15, 3 + 2 * Math.log2(c.n)),
              width: 2.2,
              height: Math.min(15, 3 + 2 * Math.log2(c.n)),
              onpointermove: (ev) =>
                p.tip(
                  ev,
                  `${plural(c.n, 'line')} at ${at(c.t)} s${c.rank === 2 ? ', with errors' : c.rank === 1 ? ', with warnings' : ''}`,
                ),
              onpointerleave: () => p.tip(),
            }),
          );
      },
    },
  ];
}
