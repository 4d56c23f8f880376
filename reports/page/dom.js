// Elements are made here and nowhere else. Text of the system under test becomes text nodes, never markup.
const SVG = 'http://www.w3.org/2000/svg';
function fill(el, attrs, children) {
  for (const [k, v] of Object.entries(attrs || {})) {
    if (v === undefined || v === null || v === false) continue;
    if (k.startsWith('on')) el.addEventListener(k.slice(2), v);
    else if (k === 'style') for (const [p, s] of Object.entries(v)) el.style.setProperty(p, s);
    else el.setAttribute(k, v === true ? '' : v);
  }
  for (const c of children.flat(Infinity)) {
    if (c === undefined || c === null || c === false || c === '') continue;
    el.append(c.nodeType ? c : document.createTextNode(String(c)));
  }
  return el;
}
const h = (tag, attrs, ...children) => fill(document.createElement(tag), attrs, children);
const s = (tag, attrs, ...children) => fill(document.createElementNS(SVG, tag), attrs, children);
const clear = (el, ...children) => {
  el.replaceChildren();
  return fill(el, {}, children);
};
const $ = (id) => document.getElementById(id);
