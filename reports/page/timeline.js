// The timeline itself: zoom, range, moment, hover, keys.
function timeline(d, view) {
  const svg = s('svg', {
    tabindex: '0',
    role: 'application',
    'aria-label': 'Timeline. Left and right move the moment, plus and minus zoom, 0 shows all.',
  });
  const tip = h('div', { class: 'tip', hidden: true }),
    legend = h('span', { class: 'grow muted' });
  const tools = h(
    'div',
    { class: 'ptools' },
    legend,
    h('button', { class: 'btn', type: 'button', onclick: () => view.by(0.5), 'aria-label': 'Zoom in' }, '+'),
    h('button', { class: 'btn', type: 'button', onclick: () => view.by(2), 'aria-label': 'Zoom out' }, '−'),
    h('button', { class: 'btn', type: 'button', onclick: () => view.zoom(0, view.full) }, 'All'),
  );
  const box = h('div', { class: 'timeline' }, svg, tip);
  const rowsOf = timelineRows(d);
  let gutter = 120,
    width = 800,
    drag;
  const toTime = (px) => view.from + ((px - gutter) / (width - gutter - 10)) * (view.to - view.from);
  const local = (ev) => ev.clientX - svg.getBoundingClientRect().left;
  function showTip(ev, text) {
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text;
    const r = box.getBoundingClientRect(),
      x = ev.clientX - r.left,
      w = tip.offsetWidth;
    tip.style.left = `${Math.max(4, Math.min(x + 12, r.width - w - 6))}px`;
    tip.style.top = `${ev.clientY - r.top + 16}px`;
  }
  function draw() {
    width = Math.max(box.clientWidth - 4, 280);
    gutter = width < 560 ? 74 : 150;
    const range = view.to - view.from,
      scale = (width - gutter - 10) / range;
    const p = { view, tip: showTip, width, gutter, x: (t) => gutter + (t - view.from) * scale, px: (n) => n / scale };
    let y = 24;
    const height = y + rowsOf.reduce((sum, r) => sum + r.h, 0) + 6,
      g = s('g', {});
    for (const t of ticks(view.from, view.to, Math.max(2, (width - gutter) / 90))) {
      g.append(
        s('line', { class: 'grid', x1: p.x(t), x2: p.x(t), y1: 20, y2: height }),
        s('text', { class: 'm', x: p.x(t), y: 14, 'text-anchor': p.x(t) > width - 40 ? 'end' : 'middle' }, `${at(t, range)} s`),
      );
    }
    for (const r of rowsOf) {
      g.append(
        s(
          'text',
          { class: 'm', x: gutter - 8, y: y + Math.min(r.h / 2 + 4, 17), 'text-anchor': 'end' },
          squeezed(r.label, gutter - 12),
          s('title', {}, r.title || r.label),
        ),
      );
      r.draw(g, p, y);
      y += r.h;
    }
    if (view.moment !== undefined && view.moment >= view.from && view.moment <= view.to)
      g.append(s('line', { class: 'moment', x1: p.x(view.moment), x2: p.x(view.moment), y1: 18, y2: height }));
    const hair = s('line', { class: 'hair', y1: 18, y2: height, visibility: 'hidden' }),
      brush = s('rect', { class: 'brush', y: 18, height: height - 18, visibility: 'hidden' });
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    svg.style.height = `${height}px`;
    clear(svg, g, hair, brush);
    svg.hair = hair;
    svg.brush = brush;
    legend.textContent =
      range < view.full
        ? `${at(view.from, range)} to ${at(view.to, range)} s`
        : `${span(view.full)}. Click for a moment, drag for a range.`;
  }
  svg.addEventListener('pointermove', (ev) => {
    const x = local(ev);
    if (x < gutter) return;
    svg.hair.setAttribute('x1', x);
    svg.hair.setAttribute('x2', x);
    svg.hair.setAttribute('visibility', 'visible');
    if (drag !== undefined && ev.pointerType === 'mouse') {
      svg.brush.setAttribute('x', Math.min(drag, x));
      svg.brush.setAttribute('width', Math.abs(x - drag));
      svg.brush.setAttribute('visibility', 'visible');
    }
  });
  svg.addEventListener('pointerleave', () => {
    svg.hair.setAttribute('visibility', 'hidden');
    drag = undefined;
    svg.brush.setAttribute('visibility', 'hidden');
  });
  svg.addEventListener('pointerdown', (ev) => {
    drag = Math.max(local(ev), gutter);
  });
  svg.addEventListener(
    'click',
    (ev) => {
      const x = local(ev),
        from = drag;
      drag = undefined;
      if (x < gutter) return;
      if (from !== undefined && Math.abs(x - from) > 8) view.zoom(toTime(Math.min(x, from)), toTime(Math.max(x, from)));
      else view.choose(toTime(x));
    },
    true,
  );
  svg.addEventListener(
    'wheel',
    (ev) => {
      if (ev.ctrlKey || ev.metaKey) {
        ev.preventDefault();
        view.by(ev.deltaY > 0 ? 1.25 : 0.8, toTime(local(ev)));
      }
    },
    { passive: false },
  );
  svg.addEventListener('keydown', (ev) => {
    const step = (view.to - view.from) / (ev.shiftKey ? 10 : 60),
      now = view.moment ?? view.from;
    const act = {
      ArrowLeft: () => view.choose(now - step),
      ArrowRight: () => view.choose(now + step),
      '+': () => view.by(0.5),
      '=': () => view.by(0.5),
      '-': () => view.by(2),
      0: () => view.zoom(0, view.full),
    }[ev.key];
    if (act) {
      ev.preventDefault();
      ev.stopPropagation();
      act();
    }
  });
  view.on(draw);
  new ResizeObserver(draw).observe(box);
  return [tools, box];
}
