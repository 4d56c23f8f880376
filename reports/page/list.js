const rows = h('nav', { class: 'scenarios', 'aria-label': 'Scenarios' });
function chip(label, on, set) {
  return h(
    'button',
    {
      class: 'btn',
      type: 'button',
      'aria-pressed': String(on),
      onclick: () => {
        set();
        drawList();
      },
    },
    label,
  );
}
const search = h('input', {
  type: 'search',
  id: 'search',
  placeholder: 'Search scenarios, sentences, tags',
  'aria-label': 'Search scenarios',
  oninput: () => {
    filter.text = search.value;
    drawList();
  },
});
const chips = h('div', { class: 'chips', role: 'group', 'aria-label': 'Filter' });
const tags = [...new Set(HEAD.scenarios.flatMap((e) => e.tags || []))].sort();
const tagBox =
  tags.length > 0 &&
  h(
    'select',
    {
      'aria-label': 'Tag',
      onchange: (ev) => {
        filter.tag = ev.target.value;
        drawList();
      },
    },
    h('option', { value: '' }, 'All tags'),
    tags.map((t) => h('option', { value: t }, t)),
  );
const side = h('div', { class: 'side' }, h('div', { class: 'filters' }, search, chips, tagBox), rows);

function drawList() {
  const n = (f) => HEAD.scenarios.filter(f).length;
  const failed = n((e) => bad(e.status)),
    passed = n((e) => e.status === 'passed'),
    skipped = n((e) => e.status === 'skipped'),
    nothing = n((e) => e.nothing);
  const pick = (status) => () => {
    filter.status = filter.status === status ? '' : status;
  };
  clear(
    chips,
    chip(`All ${HEAD.scenarios.length}`, !filter.status && !filter.nothing, () => {
      filter.status = '';
      filter.nothing = false;
    }),
    failed > 0 && chip(`Failed ${failed}`, filter.status === 'failed', pick('failed')),
    passed > 0 && chip(`Passed ${passed}`, filter.status === 'passed', pick('passed')),
    skipped > 0 && chip(`Skipped ${skipped}`, filter.status === 'skipped', pick('skipped')),
    nothing > 0 &&
      chip(`Harm touched nothing ${nothing}`, filter.nothing, () => {
        filter.nothing = !filter.nothing;
      }),
  );
  const shown = visible(),
    current = route().id;
  let feature;
  clear(
    rows,
    shown.length === 0 && h('p', { class: 'none' }, 'No scenario fits. Clear the search or choose All.'),
    shown.map((e) => {
      const head = e.feature !== feature && h('h3', {}, e.feature);
      feature = e.feature;
      return [
        head,
        h(
          'a',
          { class: 'row', href: `#${e.id}`, 'data-id': e.id, 'aria-current': e.id === current ? 'true' : undefined },
          glyph(e.status),
          h('span', { class: 'name' }, e.name),
          h('span', { class: 'time' }, span(e.took)),
          e.story && h('span', { class: 'sub' }, e.story.headline),
          e.change && h('span', { class: 'sub plain' }, e.change + (e.shard ? `, ${e.shard}` : '')),
          e.nothing && h('span', { class: 'sub warn' }, `Touched nothing: ${e.nothing.join(', ')}`),
        ),
      ];
    }),
  );
}
function markCurrent(id) {
  for (const r of rows.querySelectorAll('.row')) {
    if (r.dataset.id === id) {
      r.setAttribute('aria-current', 'true');
      r.scrollIntoView({ block: 'nearest' });
    } else r.removeAttribute('aria-current');
  }
}
