"use strict";
// The movie: frames with their cells in colour; a click on a cell gives its row.

const MILLISECONDS = 125;

class Movie {
  // data: group; width, height of the pictures; factor: pixels of a frame in one of a picture [y, x];
  // palette, stripes, tint, outline: how cells are coloured; colours: [label, entry] of every cell;
  // frames: number, image (JPEG), labels (uint16 [height, width]), cells (uint32 [4, cells]: label, area,
  // 100 y, 100 x), the last three in base64, and the last two packed by zlib.
  constructor(place, data) {
    this.data = data;
    this.group = groupOf(data.group);
    this.entries = new Map(data.colours);
    this.painted = make("canvas", null, { width: data.width, height: data.height });
    this.view = new Canvas(place, {
      title: "movie of the tracked cells", width: data.width, height: data.height,
      draw: (context) => this.draw(context), click: (x, y) => this.click(x, y),
    });
    this.view.element.style.aspectRatio = data.width + " / " + data.height;
    this.makeTools(place);
    this.group.listeners.push((label) => this.chosen(label));
    this.show(0);
  }

  makeTools(place) {
    const tools = make("div", place, { className: "tools" });
    this.player = button(tools, "Play", "play or pause", () => this.play(!this.timer));
    this.slider = make("input", tools, {
      type: "range", min: 0, max: this.data.frames.length - 1, value: 0, ariaLabel: "frame of the movie",
    });
    this.slider.addEventListener("input", () => { this.play(false); this.show(Number(this.slider.value)); });
    this.number = make("output", tools);
    this.coloured = checkbox(tools, "cells", () => this.show(this.index));
    this.numbered = checkbox(tools, "labels", () => this.view.redraw());
    button(tools, "+", "enlarge", () => this.view.zoom([1.6, 1.6]));
    button(tools, "\u2212", "make smaller", () => this.view.zoom([1 / 1.6, 1 / 1.6]));
    button(tools, "Whole", "show the whole picture", () => this.view.whole());
    this.row = make("div", place, { className: "note", ariaLive: "polite" });
    this.hint = "A click on a cell gives its row.";
    this.row.textContent = this.hint;
  }

  play(on) {
    clearInterval(this.timer);
    const next = () => { if (!this.busy) this.show((this.index + 1) % this.data.frames.length); };
    this.timer = on ? setInterval(next, MILLISECONDS) : 0;
    this.player.textContent = on ? "Pause" : "Play";
  }

  async load(index) {
    const frame = this.data.frames[index];
    const image = new Image();
    image.src = "data:image/jpeg;base64," + frame.image;
    const [labels, rows] = await Promise.all([unpacked(frame.labels), unpackedCells(frame.cells), image.decode()]);
    return { number: frame.number, image, labels: new Uint16Array(labels), rows };
  }

  async show(index) {
    this.index = index;
    this.slider.value = index;
    this.number.textContent = "frame " + this.data.frames[index].number;
    this.busy = true;
    const frame = await this.load(index);
    // Another one may have been asked for meanwhile.
    if (index !== this.index) return;
    this.busy = false;
    this.frame = frame;
    this.paint();
    this.tell();
    if (this.group.seen) this.group.seen(frame.number);
  }

  // Paints the cells over the frame, as large as the picture is stored.
  paint() {
    const { width, height, palette, stripes, tint, outline } = this.data;
    const context = this.painted.getContext("2d");
    context.drawImage(this.frame.image, 0, 0);
    if (!this.coloured.checked) return this.view.redraw();
    const labels = this.frame.labels;
    const colours = new ImageData(width, height);
    const period = Math.max(8, Math.floor(Math.max(width, height) / 48));
    for (let y = 0, at = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at++) {
        const label = labels[at];
        if (!label) continue;
        const entry = this.entries.get(label) || 0;
        const [down, across] = stripes[Math.floor(entry / palette.length)];
        const phase = (((down * y + across * x) % period) + period) % period;
        const dark = phase >= Math.floor(period / 2) ? 0.5 : 1;
        const colour = palette[entry % palette.length];
        const edge = this.isEdge(labels, x, y, label);
        const chosen = label === this.group.label;
        for (const channel of [0, 1, 2]) {
          colours.data[4 * at + channel] = chosen && edge ? 255 : dark * colour[channel];
        }
        colours.data[4 * at + 3] = 255 * (edge ? outline : chosen ? 0.7 : tint);
      }
    }
    const layer = make("canvas", null, { width, height });
    layer.getContext("2d").putImageData(colours, 0, 0);
    context.drawImage(layer, 0, 0);
    this.view.redraw();
  }

  isEdge(labels, x, y, label) {
    const { width, height } = this.data;
    for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
      for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) {
        if (labels[row * width + column] !== label) return true;
      }
    }
    return false;
  }

  draw(context) {
    if (!this.frame) return;
    const { scale, offset } = this.view;
    context.imageSmoothingEnabled = false;
    const [width, height] = [this.data.width * scale[0], this.data.height * scale[1]];
    context.drawImage(this.painted, offset[0], offset[1], width, height);
    if (this.numbered.checked && this.coloured.checked) {
      drawNumbers(context, this.view, this.frame.rows, this.data.factor, this.group.label);
    }
  }

  click(x, y) {
    if (!this.frame) return;
    const [column, row] = [Math.floor(x), Math.floor(y)];
    const inside = column >= 0 && row >= 0 && column < this.data.width && row < this.data.height;
    this.clicked = true;
    this.group.choose(inside ? this.frame.labels[row * this.data.width + column] : 0);
    this.clicked = false;
  }

  // A cell that is chosen elsewhere is shown in the first frame of the movie that has it.
  chosen(label) {
    if (!this.frame) return;
    const track = this.group.tracks.get(label);
    const has = (frame) => frame.number >= track.begin && frame.number <= track.end;
    if (track && !this.clicked && !this.frame.rows.has(label)) {
      const index = this.data.frames.findIndex(has);
      if (index >= 0) {
        this.play(false);
        return void this.show(index);
      }
    }
    this.paint();
    this.tell();
  }

  // Shows the row of the chosen cell, with its place in the frame that is shown.
  tell() {
    const label = this.group.label;
    if (!label) return void (this.row.textContent = this.hint);
    const cell = this.frame.rows.get(label);
    const place = cell ? [["area", cell.area + " px"], ["y", cell.y.toFixed(2)], ["x", cell.x.toFixed(2)]] : [];
    this.group.showRow(this.row, [["in frame " + this.frame.number, cell ? "" : "not there"], ...place]);
  }
}

kinds.movie = (place, data) => new Movie(place, data);
