// The cluster at the chosen moment: who is alive, who leads, which links are cut, slow or lossy.
const LOOK = { oom: 'dead', exited: 'dead', stopped: 'off', removed: 'off', paused: 'paused', starting: 'starting', leader: 'leader' };
function zoneShape(z, p) {
  const pad = Math.min(p.unit * 0.42, 0.6),
    inner = Math.max(p.radius - p.r - 22, 4),
    outer = p.radius + p.r + 22,
    at2 = (rr, a) => `${(rr * Math.cos(a)).toFixed(1)} ${(rr * Math.sin(a)).toFixed(1)}`;
  const a0 = z.from - pad,
    a1 = z.to + pad,
    large = a1 - a0 > 3.1416 ? 1 : 0,
    mid = (a0 + a1) / 2;
  return [
    s('path', {
      class: 'zone',
      d: `M${at2(outer, a0)}A${outer} ${outer} 0 ${large} 1 ${at2(outer, a1)}L${at2(inner, a1)}A${inner} ${inner} 0 ${large} 0 ${at2(inner, a0)}Z`,
    }),
    s(
      'text',
      {
        class: 'm',
        x: (outer + 12) * Math.cos(mid),
        y: (outer + 12) * Math.sin(mid) + 4,
        'text-anchor': Math.cos(mid) > 0.3 ? 'start' : Math.cos(mid) < -0.3 ? 'end' : 'middle',
      },
      z.name,
    ),
  ];
}
function linkShape(a, b, there, back, tip, crowd) {
  const dx = b.x - a.x,
    dy = b.y - a.y,
    len = Math.hypot(dx, dy) || 1,
    ux = dx / len,
    uy = dy / len,
    one = (from, to, what, side) => {
      const bend = side * 11,
        sx = from.x + ((to.x - from.x) / len) * (from.r + 4),
        sy = from.y + ((to.y - from.y) / len) * (from.r + 4),
        ex = to.x - ((to.x - from.x) / len) * (to.r + 6),
        ey = to.y - ((to.y - from.y) / len) * (to.r + 6);
      const mx = (sx + ex) / 2 - uy * bend,
        my = (sy + ey) / 2 + ux * bend,
        cx = (sx + ex) / 4 + mx / 2,
        cy = (sy + ey) / 4 + my / 2;
      return s(
        'g',
        {},
        s('title', {}, tip(what)),
        s('path', {
          class: `link ${what ? what.effect : ''} ${crowd && (!what || what.effect === 'cut') ? 'thin' : ''}`,
          d: `M${sx} ${sy}Q${mx} ${my} ${ex} ${ey}`,
          'marker-end': side && what ? 'url(#arrow)' : undefined,
        }),
        what && what.effect === 'cut' && !crowd && s('path', { class: 'x', d: `M${cx - 4} ${cy - 4}l8 8m0 -8l-8 8` }),
      );
    };
  if (there && back && there.effect === back.effect) return one(a, b, there, 0);
  if (!there && !back) return one(a, b, undefined, 0);
  return [there && one(a, b, there, 1), back && one(b, a, back, 1)];
}
function topology(d, view) {
  const el = h('figure', { class: 'topo' });
  if (!(d.topologies || []).length) {
    el.append(h('p', { class: 'none' }, 'The record holds no cluster for this scenario.'));
    return el;
  }
  view.on(() => {
    const t = view.moment ?? 0,
      topo = [...d.topologies].reverse().find((x) => x.t <= t) || d.topologies[0],
      p = place(topo.nodes || []),
      links = linksAt(d, t),
      on = harmsAt(d, t);
    const clients = placeClients(d, p),
      g = s('g', {});
    const all = new Map(p.spots);
    all.set('clients', clients);
    for (const z of p.arcs) g.append(...zoneShape(z, p));
    const pairs = new Map();
    const pair = (a, b) => {
      const k = [a, b].sort().join('|');
      if (a !== b && all.has(a) && all.has(b)) pairs.set(k, [a, b].sort());
    };
    const names = [...p.spots.keys()];
    if (names.length <= 12) names.forEach((a, i) => names.slice(i + 1).forEach((b) => pair(a, b)));
    const few = links.size <= 600,
      crowd = links.size > 24,
      parts = partsAt(names, links);
    const drawn = few
      ? [...links.keys()]
      : [...links]
          .filter(([, v]) => v.effect !== 'cut')
          .map(([k]) => k)
          .slice(0, 600);
    for (const k of drawn) pair(...k.split('>'));
    if (!few && !parts)
      g.append(s('text', { class: 'm', 'text-anchor': 'middle', y: 8 - p.halfH }, `${links.size.toLocaleString('en')} links harmed`));
    for (const [a, b] of pairs.values())
      g.append(
        ...[
          linkShape(
            all.get(a),
            all.get(b),
            links.get(`${a}>${b}`),
            links.get(`${b}>${a}`),
            (w) => (w ? `${w.harm.asked}` : `${a} and ${b}`),
            crowd,
          ),
        ]
          .flat()
          .filter(Boolean),
      );
    for (const sp of p.spots.values()) {
      const st = stateAt(d, sp.node.name, t),
        look = st ? LOOK[st.state] || '' : '',
        targeted = on.some((x) => (x.targets || []).includes(sp.node.name) && x.targets.length < names.length);
      g.append(
        s(
          'g',
          {
            class: `node ${look} ${parts ? `part${parts.part.get(sp.node.name)}` : ''}`,
            transform: `translate(${sp.x.toFixed(1)} ${sp.y.toFixed(1)})`,
          },
          s(
            'title',
            {},
            `${sp.node.name}${sp.node.zone ? `, zone ${sp.node.zone}` : ''}\n${sp.node.text || ''}\n${(sp.node.services || []).join(', ')}\n${st ? st.state : ''}`,
          ),
          targeted && s('circle', { class: 'ring', r: sp.r + 5 }),
          s('circle', { r: sp.r }),
          s(
            'text',
            { class: 'in', 'text-anchor': 'middle', y: 4 },
            p.big ? sp.node.name.replace(/^\D+/, '') : fits(sp.node.name, sp.r * 2 + 4),
          ),
          !p.big &&
            st &&
            (names.length <= 8 || st.state !== 'ready') &&
            s('text', { class: 'm halo', 'text-anchor': 'middle', y: sp.r + 16 }, st.state),
        ),
      );
    }
    const asked = names.some((x) => links.has(`clients>${x}`) || links.has(`${x}>clients`));
    g.append(
      s(
        'g',
        { class: 'node clients', transform: `translate(${clients.x} ${clients.y})` },
        s('title', {}, 'the clients: the test itself'),
        s('rect', { x: -30, y: -13, width: 60, height: 26, rx: 6 }),
        s('text', { 'text-anchor': 'middle', y: 4 }, 'clients'),
      ),
    );
    if (parts)
      g.append(
        s(
          'text',
          { class: 'm', 'text-anchor': 'middle', y: Math.min(-p.halfH, clients.y - 22) - 6 },
          `${parts.n} parts: ${[...Array(parts.n).keys()].map((i) => [...parts.part.values()].filter((v) => v === i).length).join(', ')} nodes`,
        ),
      );
    const half = Math.max(p.halfW + 14, 150, Math.abs(clients.x) + 40),
      top = Math.min(-p.halfH, clients.y - 22) - (parts ? 22 : 0),
      bottom = Math.max(p.halfH, clients.y + 22);
    el.replaceChildren(
      s(
        'svg',
        {
          viewBox: `${-half} ${top} ${2 * half} ${bottom - top}`,
          role: 'img',
          'aria-label': `The cluster at ${at(t)} s: ${names.map((x) => `${x} ${(stateAt(d, x, t) || {}).state || ''}`).join(', ')}. ${asked || links.size ? `${links.size} links harmed.` : 'All links whole.'}`,
        },
        s(
          'defs',
          {},
          s(
            'marker',
            {
              id: 'arrow',
              viewBox: '0 0 8 8',
              refX: 6,
              refY: 4,
              markerWidth: 7,
              markerHeight: 7,
              markerUnits: 'userSpaceOnUse',
              orient: 'auto',
            },
            s('path', { d: 'M0 0L8 4L0 8z', fill: 'currentColor' }),
          ),
        ),
        g,
      ),
    );
  });
  return el;
}
