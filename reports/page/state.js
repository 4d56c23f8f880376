const HEAD = JSON.parse($('head').textContent);
const filter = { text: '', status: '', tag: '', nothing: false };
const entries = new Map(HEAD.scenarios.map((e) => [e.id, e]));
const details = new Map();
function detailOf(id) {
  if (!details.has(id)) details.set(id, JSON.parse($(`d-${id}`).textContent));
  return details.get(id);
}
// A route is #SCENARIO, #SCENARIO.3 (a step), #SCENARIO.h1 (a harm) or #SCENARIO@2.5 (a moment, in seconds).
function route() {
  const hash = decodeURIComponent(location.hash.slice(1));
  const m = /^([^.@]+)(?:\.([^@]+))?(?:@([\d.]+))?$/.exec(hash);
  if (!m || !entries.has(m[1])) return {};
  return { id: m[1], part: m[2] && `${m[1]}.${m[2]}`, moment: m[3] === undefined ? undefined : Number(m[3]) * 1e6 };
}
const words = (e) =>
  `${e.name}\n${e.feature}\n${e.uri}\n${(e.tags || []).join(' ')}\n${e.words}\n${e.change || ''}\n${e.shard || ''}\n${e.story ? e.story.headline : ''}`.toLowerCase();
for (const e of HEAD.scenarios) e.all = words(e);
function visible() {
  const parts = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  return HEAD.scenarios.filter(
    (e) =>
      (!filter.status || (filter.status === 'failed' ? bad(e.status) : e.status === filter.status)) &&
      (!filter.tag || (e.tags || []).includes(filter.tag)) &&
      (!filter.nothing || e.nothing) &&
      parts.every((p) => e.all.includes(p)),
  );
}
// A view is what the pictures of one scenario share: the range shown and the chosen moment.
function newView(d) {
  const listeners = [];
  const v = {
    from: 0,
    to: Math.max(d.span, 1000),
    moment: undefined,
    lit: undefined,
    full: Math.max(d.span, 1000),
    on(f) {
      listeners.push(f);
    },
    changed() {
      for (const f of listeners) f(v);
    },
    zoom(from, to) {
      const least = 2000;
      if (to - from < least) {
        const mid = (from + to) / 2;
        from = mid - least / 2;
        to = mid + least / 2;
      }
      v.from = Math.max(0, from);
      v.to = Math.min(v.full, Math.max(to, v.from + least));
      v.changed();
    },
    by(factor, around = v.moment ?? (v.from + v.to) / 2) {
      v.zoom(around - (around - v.from) * factor, around + (v.to - around) * factor);
    },
    choose(t, lit) {
      v.moment = t === undefined ? undefined : Math.min(Math.max(t, 0), v.full);
      v.lit = lit;
      if (t !== undefined && (t < v.from || t > v.to)) {
        const w = v.to - v.from;
        v.from = Math.max(0, t - w / 2);
        v.to = Math.min(v.full, v.from + w);
      }
      v.changed();
    },
  };
  return v;
}
