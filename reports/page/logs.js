// The merged log draws only the lines in sight, so that a hundred thousand of them scroll as ten do.
// readable sets the message of a JSON line first and leaves out what the row says already; the whole line is a click away.
function readable(x) {
  if (x[0] !== '{') return x;
  let o;
  try {
    o = JSON.parse(x);
  } catch {
    return x;
  }
  const msg = o.msg ?? o.message;
  if (typeof msg !== 'string') return x;
  const rest = Object.entries(o).filter(([k]) => !['msg', 'message', 'level', 'ts', 'time', 'timestamp', 'caller', 'logger'].includes(k));
  return [msg, ...rest.map(([k, v]) => `${k}=${typeof v === 'string' ? v : JSON.stringify(v)}`)].join('  ');
}
function logRow(d, l, click) {
  const src = d.log.sources[l.s];
  return h(
    'button',
    { class: `line ${l.l || ''}`, type: 'button', tabindex: '-1', title: `${src}\n${l.x.slice(0, 1000)}`, onclick: click },
    h('span', { class: 't' }, at(l.t)),
    h('span', { class: 'src' }, src),
    h('span', {}, readable(l.x)),
  );
}
function logSection(d, view) {
  const lines = d.log.lines || [];
  if (lines.length === 0)
    return h(
      'section',
      { class: 'block' },
      h('h2', {}, 'Log'),
      h('p', { class: 'muted' }, (d.log.sources || []).length ? 'The services wrote nothing.' : 'The record names no log of a service.'),
    );
  const HEIGHT = 20,
    f = { text: '', src: '', level: '', ranged: false };
  const box = h('div', {
      class: 'logbox',
      tabindex: '0',
      role: 'log',
      'aria-label': 'Merged log of all services. Up and down move from line to line.',
    }),
    pad = h('div', {}),
    note = h('small', {}),
    whole = h('pre', { class: 'whole', hidden: true });
  box.append(pad);
  let shown = lines,
    lit = -1,
    moment,
    pinned;
  const nodes = [...new Set(d.log.sources.map((x) => x.split(' ')[0]))];
  const pick = (label, options, set) =>
    h(
      'select',
      {
        'aria-label': label,
        onchange: (ev) => {
          set(ev.target.value);
          apply();
        },
      },
      options.map(([v, t]) => h('option', { value: v }, t)),
    );
  const ranged = h(
    'button',
    {
      class: 'btn',
      type: 'button',
      'aria-pressed': 'false',
      onclick: () => {
        f.ranged = !f.ranged;
        ranged.setAttribute('aria-pressed', String(f.ranged));
        apply();
      },
    },
    'Only the range above',
  );
  const input = h('input', {
    type: 'search',
    placeholder: 'Filter lines, or /regexp/',
    'aria-label': 'Filter log lines',
    oninput: () => {
      f.text = input.value;
      apply();
    },
  });
  const tools = h(
    'div',
    { class: 'ptools' },
    input,
    pick(
      'Source',
      [['', 'All nodes'], ...nodes.map((x) => [x, x]), ...(d.log.sources.length > nodes.length ? d.log.sources.map((x) => [x, x]) : [])],
      (v) => {
        f.src = v;
      },
    ),
    pick(
      'Level',
      [
        ['', 'All levels'],
        ['w', 'Warnings and errors'],
        ['e', 'Errors'],
      ],
      (v) => {
        f.level = v;
      },
    ),
    ranged,
  );
  function matcher() {
    const m = /^\/(.+)\/$/.exec(f.text);
    if (m)
      try {
        const re = new RegExp(m[1], 'i');
        return (x) => re.test(x);
      } catch {
        return () => false;
      }
    const low = f.text.toLowerCase();
    return (x) => !low || x.toLowerCase().includes(low);
  }
  function apply() {
    const hit = matcher();
    shown = lines.filter(
      (l) =>
        (!f.src || d.log.sources[l.s] === f.src || d.log.sources[l.s].startsWith(`${f.src} `)) &&
        (!f.level || l.l === 'e' || (f.level === 'w' && l.l === 'w')) &&
        (!f.ranged || (l.t >= view.from && l.t <= view.to)) &&
        hit(l.x),
    );
    pad.style.height = `${shown.length * HEIGHT}px`;
    note.textContent = `${shown.length === lines.length ? plural(lines.length, 'line') : `${shown.length.toLocaleString('en')} of ${plural(lines.length, 'line')}`}${d.log.left ? `; ${d.log.left.toLocaleString('en')} more in the artifacts` : ''}`;
    pinned = undefined;
    find();
    draw();
  }
  function find() {
    lit = -1;
    if (view.moment === undefined) return;
    let a = 0,
      b = shown.length;
    while (a < b) {
      const mid = (a + b) >> 1;
      if (shown[mid].t <= view.moment) a = mid + 1;
      else b = mid;
    }
    lit = pinned !== undefined && shown[pinned] && shown[pinned].t === view.moment ? pinned : a - 1;
  }
  function pin(i) {
    const l = shown[i];
    if (!l) return;
    pinned = i;
    whole.hidden = false;
    whole.textContent = `${wall(d.began + l.t / 1000)}  ${d.log.sources[l.s]}\n${l.x}`;
    view.choose(l.t);
    box.scrollTop = Math.min(Math.max(box.scrollTop, (i + 1) * HEIGHT - box.clientHeight), i * HEIGHT);
  }
  function draw() {
    const first = Math.max(0, Math.floor(box.scrollTop / HEIGHT) - 5),
      last = Math.min(shown.length, first + Math.ceil(box.clientHeight / HEIGHT) + 10);
    const part = [];
    for (let i = first; i < last; i++) {
      const row = logRow(d, shown[i], () => pin(i));
      row.style.top = `${i * HEIGHT}px`;
      if (i === lit) row.classList.add('lit');
      part.push(row);
    }
    pad.replaceChildren(...part);
  }
  let waiting = false;
  box.addEventListener('scroll', () => {
    if (!waiting) {
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        draw();
      });
    }
  });
  box.addEventListener('keydown', (ev) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20 }[ev.key];
    if (step) {
      ev.preventDefault();
      pin(Math.max(0, Math.min(shown.length - 1, lit + step)));
    }
  });
  new ResizeObserver(draw).observe(box);
  view.on(() => {
    if (f.ranged) apply();
    else find();
    if (view.moment !== moment && lit >= 0 && !box.matches(':hover, :focus'))
      box.scrollTop = Math.max(0, lit * HEIGHT - box.clientHeight / 2);
    moment = view.moment;
    draw();
  });
  requestAnimationFrame(apply);
  return h('section', { class: 'block logs', id: 'logs' }, h('h2', {}, 'Log', note), h('div', { class: 'panel' }, tools, box, whole));
}
