"use strict";
// What the viewers of a page share: the cell that is chosen, its row, and how a picture is moved and enlarged.

// The viewers of one video form a group: a cell that is chosen in one of them is chosen in all.
class Group {
  constructor() {
    this.tracks = new Map();
    this.daughters = new Map();
    this.listeners = [];
    this.label = 0;
  }

  // Takes the tracks: [label, begin, end, parent, mean area or null].
  know(tracks) {
    for (const [label, begin, end, parent, area] of tracks) {
      this.tracks.set(label, { label, begin, end, parent, area });
      if (parent) this.daughters.set(parent, [...(this.daughters.get(parent) || []), label]);
    }
  }

  choose(label) {
    this.label = label;
    for (const listener of this.listeners) listener(label);
  }

  // Shows the row of the chosen cell; `here` are names and values of the frame that is shown, if there is one.
  showRow(place, here) {
    place.replaceChildren();
    const track = this.tracks.get(this.label);
    if (!this.label) return;
    const cells = [["label", this.label]];
    if (track) {
      cells.push(["parent", this.link(track.parent)], ["daughters", this.links(this.daughters.get(this.label))]);
      cells.push(["frames", track.begin + " to " + track.end]);
      if (track.area !== null) cells.push(["mean area", track.area + " px"]);
    }
    const row = make("dl", place, { className: "row-of-cell" });
    for (const [name, value] of [...cells, ...here]) {
      const pair = make("div", row);
      make("dt", pair, { textContent: name });
      make("dd", pair).append(value);
    }
  }

  link(label) {
    if (!label) return "none";
    const button = make("button", null, { type: "button", textContent: label, className: "link" });
    button.addEventListener("click", () => this.choose(label));
    return button;
  }

  links(labels) {
    if (!labels) return "none";
    const all = make("span");
    for (const label of labels) all.append(this.link(label), " ");
    return all;
  }
}

const groups = new Map();

function groupOf(name) {
  if (!groups.has(name)) groups.set(name, new Group());
  return groups.get(name);
}

function make(tag, parent, properties) {
  const element = Object.assign(document.createElement(tag), properties);
  if (parent) parent.append(element);
  return element;
}

function button(parent, text, title, action) {
  const made = make("button", parent, { type: "button", textContent: text, title, ariaLabel: title });
  made.addEventListener("click", action);
  return made;
}

function checkbox(parent, text, action) {
  const label = make("label", parent);
  const box = make("input", label, { type: "checkbox", checked: true });
  label.append(" " + text);
  box.addEventListener("change", action);
  return box;
}

// A field that chooses the cell whose label is typed into it; `known` tells whether there is one.
function searchField(parent, note, known, found) {
  const form = make("form", parent);
  const field = make("input", form, {
    type: "search", inputMode: "numeric", placeholder: "label", ariaLabel: "label of the cell to find", size: 7,
  });
  make("button", form, { textContent: "Find" });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const label = Number(field.value);
    if (known(label)) found(label);
    else note.textContent = "There is no cell " + field.value + ".";
  });
}

// A canvas that shows a plane: place on the canvas = place in the plane * scale + offset, along x and y.
class Canvas {
  // options: width and height of the plane; margin: [left, bottom] of the canvas, where the plane is not;
  // together: x and y are enlarged by the same factor; most: how many canvas pixels a unit may have [x, y];
  // draw(context), click(x, y) with a place in the plane.
  constructor(parent, options) {
    Object.assign(this, { margin: [0, 0], together: true, most: [32, 32], scale: [1, 1], offset: [0, 0] }, options);
    this.element = make("canvas", parent, { tabIndex: 0, ariaLabel: options.title });
    this.element.setAttribute("role", "img");
    this.pointers = new Map();
    new ResizeObserver(() => this.resize()).observe(this.element);
    for (const [name, method] of [
      ["pointerdown", this.press], ["pointermove", this.drag], ["pointerup", this.release],
      ["pointercancel", this.forget], ["wheel", this.wheel], ["keydown", this.key],
    ]) this.element.addEventListener(name, method.bind(this), { passive: false });
  }

  // The size of the part of the canvas that shows the plane.
  get room() {
    return [this.element.clientWidth - this.margin[0], this.element.clientHeight - this.margin[1]];
  }

  get least() {
    const fit = [this.room[0] / this.width, this.room[1] / this.height];
    return this.together ? fit.fill(Math.min(...fit)) : fit;
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [this.element.clientWidth, this.element.clientHeight];
    if (!width || !height) return;
    const whole = !this.shown || this.isWhole;
    this.element.width = Math.round(width * ratio);
    this.element.height = Math.round(height * ratio);
    if (whole) this.scale = this.shown ? this.least : this.first ? this.first() : this.least;
    this.shown = true;
    this.clamp();
  }

  get isWhole() {
    const least = this.lastLeast || this.least;
    return this.scale.every((scale, axis) => scale <= least[axis] * 1.001);
  }

  // Keeps the plane on the canvas, and redraws it.
  clamp() {
    const [room, least, size] = [this.room, this.least, [this.width, this.height]];
    for (const axis of [0, 1]) {
      this.scale[axis] = Math.min(Math.max(this.scale[axis], least[axis]), Math.max(this.most[axis], least[axis]));
      const spare = room[axis] - size[axis] * this.scale[axis];
      const start = axis === 0 ? this.margin[0] : 0;
      this.offset[axis] = spare >= 0
        ? start + (this.together ? spare / 2 : 0)
        : Math.min(start, Math.max(start + spare, this.offset[axis]));
    }
    this.lastLeast = least;
    // A picture that is shown whole does not keep a finger from moving the page.
    this.element.style.touchAction = this.isWhole ? "pan-y" : "none";
    this.redraw();
  }

  redraw() {
    if (this.pending || !this.shown) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      const context = this.element.getContext("2d");
      const ratio = window.devicePixelRatio || 1;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, this.element.clientWidth, this.element.clientHeight);
      this.draw(context);
    });
  }

  place(event) {
    const box = this.element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  toPlane([x, y]) {
    return [(x - this.offset[0]) / this.scale[0], (y - this.offset[1]) / this.scale[1]];
  }

  whole() {
    this.scale = this.least;
    this.clamp();
  }

  // Enlarges by a factor along each axis, so that a place of the canvas stays where it is.
  zoom(factors, [x, y] = [this.margin[0] + this.room[0] / 2, this.room[1] / 2]) {
    const [before, place] = [this.toPlane([x, y]), [x, y]];
    const least = this.least;
    for (const axis of [0, 1]) {
      const most = Math.max(this.most[axis], least[axis]);
      this.scale[axis] = Math.min(most, Math.max(least[axis], this.scale[axis] * factors[axis]));
      this.offset[axis] = place[axis] - before[axis] * this.scale[axis];
    }
    this.clamp();
  }

  move(x, y) {
    this.offset[0] += x;
    this.offset[1] += y;
    this.clamp();
  }

  // Moves a place of the plane to the middle of the canvas.
  centre(x, y) {
    this.offset[0] = this.margin[0] + this.room[0] / 2 - x * this.scale[0];
    this.offset[1] = this.room[1] / 2 - y * this.scale[1];
    this.clamp();
  }

  press(event) {
    this.element.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.place(event));
    if (this.pointers.size === 1) this.pressed = this.place(event);
    else this.pressed = null;
  }

  drag(event) {
    if (!this.pointers.has(event.pointerId)) return;
    const before = [...this.pointers.values()];
    this.pointers.set(event.pointerId, this.place(event));
    const now = [...this.pointers.values()];
    if (now.length === 1) {
      const moved = [now[0][0] - before[0][0], now[0][1] - before[0][1]];
      if (this.pressed && Math.hypot(now[0][0] - this.pressed[0], now[0][1] - this.pressed[1]) > 5) this.pressed = null;
      if (!this.pressed) this.move(...moved);
    } else this.pinch(before, now);
  }

  pinch(before, now) {
    const apart = (pair, axis) => Math.abs(pair[0][axis] - pair[1][axis]);
    const length = (pair) => Math.hypot(apart(pair, 0), apart(pair, 1));
    const middle = (pair) => [(pair[0][0] + pair[1][0]) / 2, (pair[0][1] + pair[1][1]) / 2];
    const factor = length(now) / Math.max(1, length(before));
    // Fingers beside each other stretch time, fingers above each other the rows.
    const level = apart(now, 0) > apart(now, 1);
    const factors = this.together ? [factor, factor] : level ? [factor, 1] : [1, factor];
    this.zoom(factors, middle(before));
    this.move(middle(now)[0] - middle(before)[0], middle(now)[1] - middle(before)[1]);
  }

  release(event) {
    const pressed = this.pressed;
    this.forget(event);
    if (pressed && this.click) this.click(...this.toPlane(pressed));
  }

  forget(event) {
    this.pointers.delete(event.pointerId);
    this.pressed = null;
  }

  // Without Ctrl the wheel moves the page.
  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const factor = Math.exp(-event.deltaY / 300);
    this.zoom(this.together ? [factor, factor] : event.shiftKey ? [factor, 1] : [1, factor], this.place(event));
  }

  key(event) {
    const step = 60;
    const moves = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (event.key in moves) this.move(...moves[event.key]);
    else if (event.key === "+") this.zoom(this.together ? [1.5, 1.5] : [1, 1.5]);
    else if (event.key === "-") this.zoom(this.together ? [1 / 1.5, 1 / 1.5] : [1, 1 / 1.5]);
    else return;
    event.preventDefault();
  }
}

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

// The rows of all cells of a frame: label -> area, y and x, from columns of uint32.
async function unpackedCells(text) {
  const columns = new Uint32Array(await unpacked(text));
  const count = columns.length / 4;
  const rows = new Map();
  for (let cell = 0; cell < count; cell++) {
    const [label, area, y, x] = [0, 1, 2, 3].map((column) => columns[column * count + cell]);
    rows.set(label, { area, y: y / 100, x: x / 100 });
  }
  return rows;
}

// Writes labels in the middle of their cells, where they are not wider than these, and that of the chosen cell.
// `factor`: pixels of the video in a unit of the canvas's plane [y, x].
function drawNumbers(context, { scale, offset, element }, rows, factor, chosen) {
  context.font = "11px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = 3;
  context.strokeStyle = "#000";
  context.fillStyle = "#fff";
  for (const [label, cell] of rows) {
    const side = Math.sqrt(cell.area / (factor[0] * factor[1])) * scale[0];
    if (label !== chosen && 6.5 * String(label).length > 0.9 * side) continue;
    const x = ((cell.x + 0.5) / factor[1]) * scale[0] + offset[0];
    const y = ((cell.y + 0.5) / factor[0]) * scale[1] + offset[1];
    if (x < 0 || y < 0 || x > element.clientWidth || y > element.clientHeight) continue;
    context.strokeText(label, x, y);
    context.fillText(label, x, y);
  }
}

// Kind of viewer -> function that shows data in an element.
const kinds = {};

function startViewers() {
  for (const source of document.querySelectorAll("script[data-viewer]")) {
    const place = make("div", null, { className: "viewer" });
    source.before(place);
    kinds[source.dataset.viewer](place, JSON.parse(source.textContent));
  }
}
