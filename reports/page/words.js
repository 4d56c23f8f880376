// Times are in microseconds everywhere in this page.
function span(us) {
  if (us < 1000) return us <= 0 ? '0 s' : `${us} µs`;
  if (us < 999500) return `${Math.round(us / 1000)} ms`;
  if (us < 60e6) return `${(us / 1e6).toFixed(1).replace(/\.0$/, '')} s`;
  const sec = Math.round(us / 1e6);
  if (sec < 3600) return `${Math.floor(sec / 60)} min ${sec % 60} s`;
  return `${Math.floor(sec / 3600)} h ${Math.floor((sec % 3600) / 60)} min`;
}
// at words a moment since the scenario began, fine enough for the range that is shown.
function at(us, range = 10e6) {
  const digits = range < 50e3 ? 4 : range < 20e6 ? 3 : range < 600e6 ? 1 : 0;
  return `+${(us / 1e6).toFixed(digits)}`;
}
const wall = (ms) => new Date(ms).toISOString().replace('T', ' ').replace('Z', ' UTC');
const plural = (n, word) => `${n.toLocaleString('en')} ${word}${n === 1 ? '' : 's'}`;
const GLYPH = { passed: '✓', failed: '✗', unfinished: '✗', skipped: '–', undefined: '?', pending: '?' };
const glyph = (status) => h('span', { class: `g ${status}`, title: status, role: 'img', 'aria-label': status }, GLYPH[status] || '·');
const bad = (status) => status !== 'passed' && status !== 'skipped';
