// The cluster at the chosen moment: who is alive, who leads, which links are cut, slow or lossy.
const RANK = { cut: 3, lossy: 2, slow: 1 };
function harmsAt(d, t) {
  return (d.harms || []).filter((x) => x.b <= t && (x.moment ? t <= x.b : t < x.e || x.open || (x.e === d.span && t <= x.e)));
}
function linksAt(d, t) {
  const out = new Map();
  for (const x of harmsAt(d, t)) {
    const healed = new Set((x.releases || []).filter((r) => r.t <= t).flatMap((r) => r.links.map((l) => l.join('>'))));
    for (const l of x.links || []) {
      const key = l.join('>'), was = out.get(key);
      if (!healed.has(key) && RANK[x.effect] && (!was || RANK[was.effect] < RANK[x.effect])) out.set(key, { effect: x.effect, harm: x });
    }
  }
  return out;
}
function stateAt(d, node, t) {
  const states = (d.lanes || []).filter((l) => l.node === node).map((l) => l.segments.filter((g) => g.b <= t).pop()).filter(Boolean);
  const order = ['oom', 'exited', 'stopped', 'removed', 'paused', 'starting', 'leader', 'follower', 'ready', 'running'];
  return states.sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state))[0];
}
const LOOK = { oom: 'dead', exited: 'dead', stopped: 'off', removed: 'off', paused: 'paused', starting: 'starting', leader: 'leader' };
function place(nodes) {
  const zones = [...new Set(nodes.map((n) => n.zone || ''))], sorted = zones.flatMap((z) => nodes.filter((n) => (n.zone || '') === z));
  if (sorted.length > 40) return grid(sorted);
  const n = sorted.length, gaps = zones.length > 1 ? zones.length : 0, big = n > 24, r = big ? 19 - Math.min(11, n / 12) : 25;
  const radius = n === 1 ? 0 : Math.max(88, (n + gaps * 0.6) * (r * 2 + 18) / 6.283), spots = new Map(), unit = 6.28319 / (n + gaps * 0.6);
  let a = -1.5708 - (gaps ? unit * (nodes.filter((x) => (x.zone || '') === zones[0]).length - 1) / 2 : 0), zone = sorted[0] && (sorted[0].zone || '');
  const arcs = [];
  sorted.forEach((node) => {
    if ((node.zone || '') !== zone) { a += unit * 0.6; zone = node.zone || ''; }
    spots.set(node.name, { x: radius * Math.cos(a), y: radius * Math.sin(a), r, node, a });
    const arc = arcs.find((z) => z.name === zone);
    if (zone && arc) arc.to = a; else if (zone) arcs.push({ name: zone, from: a, to: a });
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
      for (const b of names) if (!part.has(b) && !cut(a, b)) { part.set(b, n); todo.push(b); }
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
  const all = [...p.spots.values()], ends = all.filter((n) => ever.has(n.node.name));
  let best;
  for (let i = 0; i < 32; i++) {
    const a = 1.5708 + (i % 2 ? 1 : -1) * Math.ceil(i / 2) * 0.19635, x = (far + 18 * Math.abs(Math.cos(a))) * Math.cos(a), y = far * Math.sin(a);
    let cost = i * 0.2;
    for (const e of ends) for (const o of all) {
      if (o === e) continue;
      const dx = e.x - x, dy = e.y - y, u = Math.max(0, Math.min(1, ((o.x - x) * dx + (o.y - y) * dy) / (dx * dx + dy * dy)));
      cost += Math.max(0, o.r + 14 - Math.hypot(o.x - x - u * dx, o.y - y - u * dy));
    }
    if (!best || cost < best.cost) best = { x, y, cost };
  }
  return { x: best.x, y: best.y, r: 20, node: { name: 'clients' } };
}
// grid places more nodes than a circle holds, in the order of their zones.
function grid(sorted) {
  const columns = Math.ceil(Math.sqrt(sorted.length * 1.6)), gap = 40, spots = new Map(), rows = Math.ceil(sorted.length / columns);
  sorted.forEach((node, i) => spots.set(node.name, { x: (i % columns - (columns - 1) / 2) * gap, y: (Math.floor(i / columns) - (rows - 1) / 2) * gap, r: 14, node }));
  return { spots, radius: 0, r: 14, arcs: [], unit: 0, big: true, halfW: columns * gap / 2, halfH: rows * gap / 2 + 22 };
}
function zoneShape(z, p) {
  const pad = Math.min(p.unit * 0.42, 0.6), inner = Math.max(p.radius - p.r - 22, 4), outer = p.radius + p.r + 22, at2 = (rr, a) => `${(rr * Math.cos(a)).toFixed(1)} ${(rr * Math.sin(a)).toFixed(1)}`;
  const a0 = z.from - pad, a1 = z.to + pad, large = a1 - a0 > 3.1416 ? 1 : 0, mid = (a0 + a1) / 2;
  return [s('path', { class: 'zone', d: `M${at2(outer, a0)}A${outer} ${outer} 0 ${large} 1 ${at2(outer, a1)}L${at2(inner, a1)}A${inner} ${inner} 0 ${large} 0 ${at2(inner, a0)}Z` }),
    s('text', { class: 'm', x: (outer + 12) * Math.cos(mid), y: (outer + 12) * Math.sin(mid) + 4, 'text-anchor': Math.cos(mid) > 0.3 ? 'start' : Math.cos(mid) < -0.3 ? 'end' : 'middle' }, z.name)];
}
function linkShape(a, b, there, back, tip, crowd) {
  const dx = b.x - a.x, dy = b.y - a.y, len = Math.hypot(dx, dy) || 1, ux = dx / len, uy = dy / len, one = (from, to, what, side) => {
    const bend = side * 11, sx = from.x + (to.x - from.x) / len * (from.r + 4), sy = from.y + (to.y - from.y) / len * (from.r + 4), ex = to.x - (to.x - from.x) / len * (to.r + 6), ey = to.y - (to.y - from.y) / len * (to.r + 6);
    const mx = (sx + ex) / 2 - uy * bend, my = (sy + ey) / 2 + ux * bend, cx = (sx + ex) / 4 + mx / 2, cy = (sy + ey) / 4 + my / 2;
    return s('g', {}, s('title', {}, tip(what)), s('path', { class: `link ${what ? what.effect : ''} ${crowd && (!what || what.effect === 'cut') ? 'thin' : ''}`, d: `M${sx} ${sy}Q${mx} ${my} ${ex} ${ey}`, 'marker-end': side && what ? 'url(#arrow)' : undefined }),
      what && what.effect === 'cut' && !crowd && s('path', { class: 'x', d: `M${cx - 4} ${cy - 4}l8 8m0 -8l-8 8` }));
  };
  if (there && back && there.effect === back.effect) return one(a, b, there, 0);
  if (!there && !back) return one(a, b, undefined, 0);
  return [there && one(a, b, there, 1), back && one(b, a, back, 1)];
}
function topology(d, view) {
  const el = h('figure', { class: 'topo' });
  if (!(d.topologies || []).length) { el.append(h('p', { class: 'none' }, 'The record holds no cluster for this scenario.')); return el; }
  view.on(() => {
    const t = view.moment ?? 0, topo = [...d.topologies].reverse().find((x) => x.t <= t) || d.topologies[0], p = place(topo.nodes || []), links = linksAt(d, t), on = harmsAt(d, t);
    const clients = placeClients(d, p), g = s('g', {});
    const all = new Map(p.spots); all.set('clients', clients);
    for (const z of p.arcs) g.append(...zoneShape(z, p));
    const pairs = new Map();
    const pair = (a, b) => { const k = [a, b].sort().join('|'); if (a !== b && all.has(a) && all.has(b)) pairs.set(k, [a, b].sort()); };
    const names = [...p.spots.keys()];
    if (names.length <= 12) names.forEach((a, i) => names.slice(i + 1).forEach((b) => pair(a, b)));
    const few = links.size <= 600, crowd = links.size > 24, parts = partsAt(names, links);
    const drawn = few ? [...links.keys()] : [...links].filter(([, v]) => v.effect !== 'cut').map(([k]) => k).slice(0, 600);
    for (const k of drawn) pair(...k.split('>'));
    if (!few && !parts) g.append(s('text', { class: 'm', 'text-anchor': 'middle', y: 8 - p.halfH }, `${links.size.toLocaleString('en')} links harmed`));
    for (const [a, b] of pairs.values()) g.append(...[linkShape(all.get(a), all.get(b), links.get(`${a}>${b}`), links.get(`${b}>${a}`), (w) => (w ? `${w.harm.asked}` : `${a} and ${b}`), crowd)].flat().filter(Boolean));
    for (const sp of p.spots.values()) {
      const st = stateAt(d, sp.node.name, t), look = st ? LOOK[st.state] || '' : '', targeted = on.some((x) => (x.targets || []).includes(sp.node.name) && x.targets.length < names.length);
      g.append(s('g', { class: `node ${look} ${parts ? `part${parts.part.get(sp.node.name)}` : ''}`, transform: `translate(${sp.x.toFixed(1)} ${sp.y.toFixed(1)})` }, s('title', {}, `${sp.node.name}${sp.node.zone ? `, zone ${sp.node.zone}` : ''}\n${sp.node.text || ''}\n${(sp.node.services || []).join(', ')}\n${st ? st.state : ''}`),
        targeted && s('circle', { class: 'ring', r: sp.r + 5 }), s('circle', { r: sp.r }),
        s('text', { class: 'in', 'text-anchor': 'middle', y: 4 }, p.big ? sp.node.name.replace(/^\D+/, '') : fits(sp.node.name, sp.r * 2 + 4)),
        !p.big && st && (names.length <= 8 || st.state !== 'ready') && s('text', { class: 'm halo', 'text-anchor': 'middle', y: sp.r + 16 }, st.state)));
    }
    const asked = names.some((x) => links.has(`clients>${x}`) || links.has(`${x}>clients`));
    g.append(s('g', { class: 'node clients', transform: `translate(${clients.x} ${clients.y})` }, s('title', {}, 'the clients: the test itself'), s('rect', { x: -30, y: -13, width: 60, height: 26, rx: 6 }), s('text', { 'text-anchor': 'middle', y: 4 }, 'clients')));
    if (parts) g.append(s('text', { class: 'm', 'text-anchor': 'middle', y: Math.min(-p.halfH, clients.y - 22) - 6 }, `${parts.n} parts: ${[...Array(parts.n).keys()].map((i) => [...parts.part.values()].filter((v) => v === i).length).join(', ')} nodes`));
    const half = Math.max(p.halfW + 14, 150, Math.abs(clients.x) + 40), top = Math.min(-p.halfH, clients.y - 22) - (parts ? 22 : 0), bottom = Math.max(p.halfH, clients.y + 22);
    el.replaceChildren(s('svg', { viewBox: `${-half} ${top} ${2 * half} ${bottom - top}`, role: 'img', 'aria-label': `The cluster at ${at(t)} s: ${names.map((x) => `${x} ${(stateAt(d, x, t) || {}).state || ''}`).join(', ')}. ${asked || links.size ? `${links.size} links harmed.` : 'All links whole.'}` },
      s('defs', {}, s('marker', { id: 'arrow', viewBox: '0 0 8 8', refX: 6, refY: 4, markerWidth: 7, markerHeight: 7, markerUnits: 'userSpaceOnUse', orient: 'auto' }, s('path', { d: 'M0 0L8 4L0 8z', fill: 'currentColor' }))), g));
  });
  return el;
}
// servicesAt lists the services with their states; of many only those that are not simply ready.
function servicesAt(d, t) {
  const all = d.lanes.map((l) => ({ l, g: l.segments.filter((x) => x.b <= t).pop() }));
  const some = all.length <= 8 ? all : all.filter((x) => !x.g || !['ready', 'running', 'follower'].includes(x.g.state));
  return h('ul', {}, some.slice(0, 20).map(({ l, g }) => h('li', {}, `${l.node} ${l.service}: ${g ? g.state : 'not there yet'}${g && g.text ? `, ${g.text}` : ''}`)),
    some.length < all.length && h('li', { class: 'muted' }, `${all.length - some.length} ready or running`), some.length > 20 && h('li', { class: 'muted' }, `and ${some.length - 20} more`));
}
// readout says in words what the pictures show at the moment.
function readout(d, view) {
  const el = h('div', { class: 'readout', 'aria-live': 'polite' });
  view.on(() => {
    const t = view.moment ?? 0, within = d.steps.findLast((x) => x.ran && x.b <= t && t <= x.e), st = within || d.steps.findLast((x) => x.ran && x.b <= t), on = harmsAt(d, t), id = route().id;
    clear(el, h('div', {}, h('b', {}, `${at(t, view.to - view.from)} s`), ' ', h('span', { class: 'muted' }, wall(d.began + t / 1000)), ' ', h('a', { href: `#${id}@${(t / 1e6).toFixed(3)}` }, 'link')),
      st && h('div', {}, h('h3', {}, within ? 'Sentence' : 'After the sentence'), `${st.keyword}${st.text}`),
      h('div', {}, h('h3', {}, 'Harm that is on'), on.length === 0 ? 'none' : h('ul', {}, on.map((x) => h('li', {}, h('b', {}, x.asked), `: ${x.receipt}`)))),
      h('div', {}, h('h3', {}, 'Services'), (d.lanes || []).length === 0 ? 'no states recorded' : servicesAt(d, t)));
  });
  return el;
}
