"use strict";
// The lineage: a line is a track over time, families stay together, a mother is between her daughters.

const ROW = 15;
const LINEAGE_COLOURS = { first: "#0072b2", daughter: "#d55e00", division: "#009e73", continued: "#8a8a8a" };

class Lineage {
  // data: group; frames [first, last]; tracks from top to bottom: [label, begin, end, parent, mean area, daughter].
  constructor(place, data) {
    this.data = data;
    this.group = groupOf(data.group);
    this.group.know(data.tracks);
    this.rows = new Map(data.tracks.map(([label], row) => [label, row]));
    const tools = make("div", place, { className: "tools" });
    const count = data.tracks.length;
    this.view = new Canvas(place, {
      title: "lineage of " + count + " tracks", together: false, margin: [44, 26], most: [40, 40],
      width: data.frames[1] - data.frames[0] + 1, height: count,
      draw: (context) => this.draw(context), click: (x, y) => this.click(y),
      // All rows if they can be read, else the first ones.
      first: () => [this.view.least[0], Math.max(this.view.least[1], Math.min(ROW, this.view.most[1]))],
    });
    this.view.element.style.height = "min(65vh, " + Math.max(90, count * ROW + 30) + "px)";
    this.row = make("div", place, { className: "note", ariaLive: "polite" });
    button(tools, "Whole", "show all tracks and frames", () => this.view.whole());
    button(tools, "Rows +", "taller rows", () => this.view.zoom([1, 1.6]));
    button(tools, "Rows \u2212", "lower rows", () => this.view.zoom([1, 1 / 1.6]));
    button(tools, "Time +", "wider frames", () => this.view.zoom([1.6, 1]));
    button(tools, "Time \u2212", "narrower frames", () => this.view.zoom([1 / 1.6, 1]));
    searchField(tools, this.row, (label) => this.rows.has(label), (label) => this.group.choose(label));
    this.group.listeners.push((label) => this.chosen(label));
    this.group.seen = (frame) => { this.now = frame; this.view.redraw(); };
    this.hint = "A click on a track gives its row. Drag to move; Ctrl and the wheel, or two fingers, enlarge.";
    this.row.textContent = this.hint;
  }

  click(y) {
    const track = this.data.tracks[Math.floor(y)];
    if (track) this.group.choose(track[0]);
  }

  chosen(label) {
    if (!this.rows.has(label)) {
      this.row.textContent = this.hint;
      return void this.view.redraw();
    }
    const [row, view] = [this.rows.get(label), this.view];
    const track = this.data.tracks[row];
    if (view.scale[1] < ROW) view.scale[1] = ROW;
    view.centre((track[1] + track[2] + 1) / 2 - this.data.frames[0], row + 0.5);
    this.group.showRow(this.row, []);
  }

  x(frame) {
    return (frame - this.data.frames[0]) * this.view.scale[0] + this.view.offset[0];
  }

  y(row) {
    return (row + 0.5) * this.view.scale[1] + this.view.offset[1];
  }

  draw(context) {
    const view = this.view;
    const [width, height] = [view.element.clientWidth, view.room[1]];
    const top = Math.max(0, Math.floor(-view.offset[1] / view.scale[1]) - 1);
    const bottom = Math.min(this.data.tracks.length, Math.ceil((height - view.offset[1]) / view.scale[1]) + 1);
    context.save();
    context.beginPath();
    context.rect(0, 0, width, height);
    context.clip();
    if (this.rows.has(this.group.label)) {
      context.fillStyle = "#fff1b8";
      const thick = Math.max(3, view.scale[1]);
      context.fillRect(0, this.y(this.rows.get(this.group.label)) - thick / 2, width, thick);
    }
    this.drawLinks(context, top, bottom);
    this.drawTracks(context, top, bottom);
    if (view.scale[1] >= 9) this.drawLabels(context, top, bottom);
    context.restore();
    this.drawAxis(context, width, height);
    this.drawBar(context, width, height);
  }

  // A link is drawn if one of its ends is in sight, or if it passes.
  drawLinks(context, top, bottom) {
    const paths = { division: new Path2D(), continued: new Path2D() };
    this.data.tracks.forEach(([, begin, , parent], row) => {
      const mother = this.rows.get(parent);
      if (mother === undefined || Math.max(row, mother) < top || Math.min(row, mother) >= bottom) return;
      const path = paths[this.group.daughters.get(parent).length > 1 ? "division" : "continued"];
      const end = this.x(this.data.tracks[mother][2] + 0.8);
      path.moveTo(end, this.y(mother));
      path.lineTo(Math.max(end, this.x(begin)), this.y(row));
    });
    context.lineWidth = 1;
    for (const [kind, path] of Object.entries(paths)) {
      context.strokeStyle = LINEAGE_COLOURS[kind];
      context.setLineDash(kind === "continued" ? [2, 2] : []);
      context.stroke(path);
    }
    context.setLineDash([]);
  }

  drawTracks(context, top, bottom) {
    const thick = Math.min(6, Math.max(1, 0.35 * this.view.scale[1]));
    for (let row = top; row < bottom; row++) {
      const [, begin, end, , , daughter] = this.data.tracks[row];
      context.fillStyle = daughter ? LINEAGE_COLOURS.daughter : LINEAGE_COLOURS.first;
      const left = this.x(begin);
      context.fillRect(left, this.y(row) - thick / 2, Math.max(1, this.x(end + 0.8) - left), thick);
    }
  }

  // A label stands before its track, or on it where there is no room before it.
  drawLabels(context, top, bottom) {
    const size = Math.min(12, this.view.scale[1] * 0.8);
    context.font = size + "px system-ui, sans-serif";
    context.textBaseline = "middle";
    context.strokeStyle = "#fff";
    context.lineWidth = 3;
    context.fillStyle = "#1c1c1c";
    for (let row = top; row < bottom; row++) {
      const [label, begin, end] = this.data.tracks[row];
      if (this.x(end + 1) < 0 || this.x(begin) > this.view.element.clientWidth) continue;
      const left = Math.max(2, this.x(begin) - context.measureText(label).width - 3);
      context.strokeText(label, left, this.y(row));
      context.fillText(label, left, this.y(row));
    }
  }

  drawAxis(context, width, height) {
    context.fillStyle = "#555";
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "top";
    const rough = 80 / this.view.scale[0];
    const power = Math.pow(10, Math.floor(Math.log10(rough)));
    const step = Math.max(1, [1, 2, 5, 10].find((factor) => factor * power >= rough) * power);
    context.fillRect(0, height, width, 1);
    const first = Math.ceil(this.data.frames[0] / step) * step;
    for (let frame = first; frame <= this.data.frames[1]; frame += step) {
      const x = this.x(frame + 0.4);
      if (x < 0 || x > width - 8) continue;
      context.fillRect(x, height, 1, 4);
      context.textAlign = x < 20 ? "left" : "center";
      context.fillText(frame, x, height + 6);
    }
    context.textAlign = "left";
    if (this.now !== undefined) {
      context.fillStyle = "#0006";
      context.fillRect(this.x(this.now + 0.4), 0, 1, height);
    }
  }

  // A bar at the right shows which part of the rows is in sight.
  drawBar(context, width, height) {
    const all = this.data.tracks.length * this.view.scale[1];
    if (all <= height * 1.01) return;
    context.fillStyle = "#0002";
    context.fillRect(width - 5, 0, 5, height);
    context.fillStyle = "#0007";
    const length = Math.max(12, (height * height) / all);
    const top = ((height - length) * -this.view.offset[1]) / (all - height);
    context.fillRect(width - 5, top, 5, length);
  }
}

kinds.lineage = (place, data) => new Lineage(place, data);
