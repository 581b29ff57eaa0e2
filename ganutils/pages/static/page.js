"use strict";

const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
document.title = $("heading").textContent = data.heading;

/** A new element with its properties, and children that are elements or text. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}
