// Where the nodes stand in the picture.
function place(nodes) {
  const zones = [...new Set(nodes.map((n) => n.zone || ''))],
    sorted = zones.flatMap((z) => nodes.filter((n) => (n.zone || '') === z));
  if (sorted.length > 40) return grid(sorted);
  const n = sorted.length,
    gaps = zones.length > 1 ? zones.length : 0,
    big = n > 24,
    longest = Math.max(4, ...nodes.map((x) => x.name.length)),
    r = big ? 19 - Math.min(11, n / 12) : n > 10 ? 25 : Math.min(46, Math.max(25, longest * 3.3 + 7));
  const radius = n === 1 ? 0 : Math.max(88, ((n + gaps * 0.6) * (r * 2 + 18)) / 6.283),
    spots = new Map(),
    unit = 6.28319 / (n + gaps * 0.6);
  let a = -1.5708 - (gaps ? (unit * (nodes.filter((x) => (x.zone || '') === zones[0]).length - 1)) / 2 : 0),
    zone = sorted[0] && (sorted[0].zone || '');
  const arcs = [];
  sorted.forEach((node) => {
    if ((node.zone || '') !== zone) {
      a += unit * 0.6;
      zone = node.zone || '';
    }
    spots.set(node.name, { x: radius * Math.cos(a), y: radius * Math.sin(a), r, node, a });
    const arc = arcs.find((z) => z.name === zone);
    if (zone && arc) arc.to = a;
    else if (zone) arcs.push({ name: zone, from: a, to: a });
    a += unit;
  });
  const edge = radius + r + (arcs.length ? 46 : 30);
  return { spots, radius, r, arcs, unit, big, halfW: edge, halfH: edge };
}
// partsAt finds the parts that a network is split into: nodes are in one part when a way without a cut in both
// directions leads from one to the other. Only two to six parts are worth a colour.
function partsAt(names, links) {
  if (names.length > 150) return undefined;
  const cut = (a, b) => links.get(`${a}>${b}`)?.effect === 'cut' && links.get(`${b}>${a}`)?.effect === 'cut';
  const part = new Map();
  let n = 0;
  for (const start of names) {
    if (part.has(start)) continue;
    const todo = [start];
    part.set(start, n);
    while (todo.length > 0) {
      const a = todo.pop();
      for (const b of names)
        if (!part.has(b) && !cut(a, b)) {
          part.set(b, n);
          todo.push(b);
        }
    }
    n++;
  }
  return n > 1 && n <= 6 ? { part, n } : undefined;
}
// placeClients finds the spot around the circle from which the lines to the nodes that are ever cut off from the clients
// pass the least of the others; below if it does not matter.
function placeClients(d, p) {
  if (p.arcs.length === 0 && p.radius === 0 && p.spots.size > 1) return { x: 0, y: p.halfH + 12, r: 20, node: { name: 'clients' } };
  const far = p.halfH + 22;
  const ever = new Set((d.harms || []).flatMap((x) => (x.links || []).filter((l) => l.includes('clients')).flat()));
  const all = [...p.spots.values()],
    ends = all.filter((n) => ever.has(n.node.name));
  let best;
  for (let i = 0; i < 32; i++) {
    const a = 1.5708 + (i % 2 ? 1 : -1) * Math.ceil(i / 2) * 0.19635,
      x = (far + 18 * Math.abs(Math.cos(a))) * Math.cos(a),
      y = far * Math.sin(a);
    let cost = i * 0.2;
    for (const e of ends)
      for (const o of all) {
        if (o === e) continue;
        const dx = e.x - x,
          dy = e.y - y,
          u = Math.max(0, Math.min(1, ((o.x - x) * dx + (o.y - y) * dy) / (dx * dx + dy * dy)));
        cost += Math.max(0, o.r + 14 - Math.hypot(o.x - x - u * dx, o.y - y - u * dy));
      }
    if (!best || cost < best.cost) best = { x, y, cost };
  }
  return { x: best.x, y: best.y, r: 20, node: { name: 'clients' } };
}
// grid places more nodes than a circle holds, in the order of their zones.
function grid(sorted) {
  const columns = Math.ceil(Math.sqrt(sorted.length * 1.6)),
    gap = 40,
    spots = new Map(),
    rows = Math.ceil(sorted.length / columns);
  sorted.forEach((node, i) =>
    spots.set(node.name, {
      x: ((i % columns) - (columns - 1) / 2) * gap,
      y: (Math.floor(i / columns) - (rows - 1) / 2) * gap,
      r: 14,
      node,
    }),
  );
  return { spots, radius: 0, r: 14, arcs: [], unit: 0, big: true, halfW: (columns * gap) / 2, halfH: (rows * gap) / 2 + 22 };
}
