"use strict";
// Frames in full resolution: tiles are loaded as far as they are in sight, coarser ones first.

class Tiles {
  // data: folder of the tiles; tile: side of a tile; sizes: [width, height] of every level, the finest first;
  // frames: number, cells (as in the movie).
  constructor(place, data) {
    this.data = data;
    this.group = new Group();
    const tools = make("div", place, { className: "tools" });
    const [width, height] = data.sizes[0];
    this.view = new Canvas(place, {
      title: "frame in full resolution", width, height, most: [8, 8], draw: (context) => this.draw(context),
    });
    this.view.element.classList.add("large");
    this.note = make("div", place, { className: "note", ariaLive: "polite" });
    this.note.textContent = "Drag to move; Ctrl and the wheel, two fingers, or + and \u2212 enlarge.";
    const choice = make("select", tools, { ariaLabel: "frame" });
    data.frames.forEach((frame, index) => make("option", choice, { value: index, textContent: "frame " + frame.number }));
    choice.addEventListener("change", () => this.show(Number(choice.value)));
    button(tools, "+", "enlarge", () => this.view.zoom([1.6, 1.6]));
    button(tools, "\u2212", "make smaller", () => this.view.zoom([1 / 1.6, 1 / 1.6]));
    button(tools, "1:1", "one pixel of the frame is one of the screen", () => this.zoomTo(1));
    button(tools, "Whole", "show the whole frame", () => this.view.whole());
    searchField(tools, this.note, (label) => this.rows.has(label), (label) => this.find(label));
    this.show(0);
  }

  async show(index) {
    this.frame = this.data.frames[index];
    this.images = new Map();
    this.rows = new Map();
    this.view.redraw();
    const [frame, rows] = [this.frame, await unpackedCells(this.frame.cells)];
    if (frame !== this.frame) return;
    this.rows = rows;
    this.view.redraw();
  }

  zoomTo(scale) {
    this.view.zoom([scale / this.view.scale[0], scale / this.view.scale[1]]);
  }

  find(label) {
    const cell = this.rows.get(label);
    this.group.label = label;
    const here = [["area", cell.area + " px"], ["y", cell.y.toFixed(2)], ["x", cell.x.toFixed(2)]];
    this.group.showRow(this.note, here);
    if (this.view.scale[0] < 1) this.view.scale = [1, 1];
    this.view.centre(cell.x, cell.y);
  }

  // The tile, if it is loaded; else it is loaded for later.
  tile(level, row, column) {
    const name = [this.data.folder, this.frame.number, level, row + "_" + column + ".jpg"].join("/");
    if (!this.images.has(name)) {
      const image = new Image();
      image.onload = () => this.view.redraw();
      image.src = name;
      this.images.set(name, image);
    }
    const image = this.images.get(name);
    return image.complete && image.naturalWidth ? image : null;
  }

  draw(context) {
    const ratio = window.devicePixelRatio || 1;
    const wanted = Math.floor(Math.log2(1 / (this.view.scale[0] * ratio)));
    const coarsest = this.data.sizes.length - 1;
    const level = Math.min(coarsest, Math.max(0, wanted));
    context.imageSmoothingEnabled = this.view.scale[0] * ratio < 2;
    // The whole frame stands where finer tiles are still missing.
    this.drawLevel(context, coarsest);
    if (level < coarsest) this.drawLevel(context, level);
    drawNumbers(context, this.view, this.rows, [1, 1], this.group.label);
    if (this.rows.has(this.group.label)) this.drawRing(context, this.rows.get(this.group.label));
  }

  drawRing(context, cell) {
    const { scale, offset } = this.view;
    context.strokeStyle = "#fff";
    context.lineWidth = 2;
    context.beginPath();
    const radius = Math.max(12, 1.6 * Math.sqrt(cell.area / Math.PI) * scale[0]);
    context.arc((cell.x + 0.5) * scale[0] + offset[0], (cell.y + 0.5) * scale[1] + offset[1], radius, 0, 7);
    context.stroke();
  }

  drawLevel(context, level) {
    const { scale, offset, element } = this.view;
    const side = this.data.tile * 2 ** level;
    const columns = Math.ceil(this.data.sizes[level][0] / this.data.tile);
    const rows = Math.ceil(this.data.sizes[level][1] / this.data.tile);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const left = column * side * scale[0] + offset[0];
        const top = row * side * scale[1] + offset[1];
        const seen = left < element.clientWidth && top < element.clientHeight
          && left + side * scale[0] > 0 && top + side * scale[1] > 0;
        const image = seen && this.tile(level, row, column);
        if (!image) continue;
        const unit = 2 ** level;
        context.drawImage(image, left, top, image.naturalWidth * unit * scale[0], image.naturalHeight * unit * scale[1]);
      }
    }
  }
}

kinds.tiles = (place, data) => new Tiles(place, data);
