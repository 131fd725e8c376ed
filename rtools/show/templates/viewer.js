"use strict";
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const canvas = at("image"), pen = canvas.getContext("2d");
const view = { x: data.columns / 2, y: data.rows / 2, scale: 1 };
let layer = 0, wantedFlag = "", pointer = null, timer = null, waiting = false, reading = 0, whole = true;

// -- tiles: unpacked when they are first seen, and painted again when colours change --------------------------------
const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

async function unpack(text) {
  const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const count = bytes.length / 2, numbers = new Uint16Array(count);
  for (let place = 0; place < count; place++) numbers[place] = bytes[place] | bytes[count + place] << 8;
  return numbers;
}

function tileOf(level, number) {
  level.seen ??= new Array(level.tiles.length);
  const known = level.seen[number];
  if (known) return known;
  const across = Math.ceil(level.columns / data.tile);
  const column = number % across, row = Math.floor(number / across);
  const made = {
    column, row, numbers: null, picture: null, painted: -1,
    width: Math.min(data.tile, level.columns - column * data.tile),
    height: Math.min(data.tile, level.rows - row * data.tile),
  };
  level.seen[number] = made;
  reading++;
  unpack(level.tiles[number]).then((numbers) => { made.numbers = numbers; reading--; draw(); });
  return made;
}

// -- colours: one entry for each of the 65536 numbers ----------------------------------------------------------------
const state = { generation: 0 };
const tables = new Map();

function valueOf(one, number) {
  return number ? one.zero + one.knee * Math.sinh((number - one.middle) / one.steps) : NaN;
}

const curves = {
  linear: (part) => part,
  sqrt: Math.sqrt,
  asinh: (part) => Math.asinh(part / 0.1) / Math.asinh(10),
  log: (part) => Math.log(1 + 100 * part) / Math.log(101),
};

function tableOf(one) {
  const kept = tables.get(one);
  if (kept && kept.generation === state.generation) return kept.colours;
  const map = bytesOf(data.cmaps[at("cmap").value]), curve = curves[at("stretch").value];
  const invert = at("invert").checked, colours = new Uint32Array(65536);
  colours[0] = 0xff5a5a5a;
  for (let number = 1; number < 65536; number++) {
    let part = (valueOf(one, number) - one.low) / (one.high - one.low);
    part = Math.round(255 * curve(Math.min(1, Math.max(0, part))));
    const place = 3 * (invert ? 255 - part : part);
    colours[number] = 0xff000000 | map[place + 2] << 16 | map[place + 1] << 8 | map[place];
  }
  tables.set(one, { generation: state.generation, colours });
  return colours;
}

const flagsOf = (one) => one.flags === null ? null : data.flags[one.flags];

function flagTable(flags) {
  const wanted = at("flag").value, colours = new Uint32Array(65536);
  const bit = wanted === "any" ? null : flags.bits[wanted];
  flags.table.forEach((value, number) => {
    const hit = bit === null ? value !== 0 : Math.floor(value / bit) % 2 === 1;
    if (hit) colours[number] = 0xc0ff60ff;
  });
  return colours;
}

function paint(tile, colours, key) {
  if (!tile.numbers || tile.painted === key) return tile.picture;
  tile.picture ??= Object.assign(document.createElement("canvas"), { width: tile.width, height: tile.height });
  const shown = new ImageData(tile.width, tile.height), dots = new Uint32Array(shown.data.buffer);
  for (let row = 0; row < tile.height; row++) {
    const from = (tile.height - 1 - row) * tile.width, to = row * tile.width;  // row 0 of an image is at the bottom
    for (let column = 0; column < tile.width; column++) dots[to + column] = colours[tile.numbers[from + column]];
  }
  tile.picture.getContext("2d").putImageData(shown, 0, 0);
  tile.painted = key;
  return tile.picture;
}

// -- the picture -----------------------------------------------------------------------------------------------------
const left = (x) => canvas.clientWidth / 2 + (x - view.x) * view.scale;
const top = (y) => canvas.clientHeight / 2 - (y - view.y) * view.scale;

function drawLevels(levels, colours, key) {
  const finest = levels.filter((level) => level.factor * view.scale <= 1.6);
  const level = finest.length ? finest[finest.length - 1] : levels[0];
  const across = Math.ceil(level.columns / data.tile), side = data.tile * level.factor;
  const width = canvas.clientWidth / 2 / view.scale, height = canvas.clientHeight / 2 / view.scale;
  const first = [Math.max(0, Math.floor((view.x - width) / side)), Math.max(0, Math.floor((view.y - height) / side))];
  const last = [Math.min(across - 1, Math.floor((view.x + width) / side)),
    Math.min(Math.ceil(level.rows / data.tile) - 1, Math.floor((view.y + height) / side))];
  for (let row = first[1]; row <= last[1]; row++) {
    for (let column = first[0]; column <= last[0]; column++) {
      const tile = tileOf(level, row * across + column), picture = paint(tile, colours, key);
      if (!picture) continue;
      const x = column * side, y = row * side + tile.height * level.factor;
      const places = [left(x), top(y), left(x + tile.width * level.factor), top(row * side)].map(Math.round);
      pen.drawImage(picture, places[0], places[1], places[2] - places[0], places[3] - places[1]);
    }
  }
}

function draw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; paintAll(); });
}

function paintAll() {
  const ratio = window.devicePixelRatio || 1;
  const size = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = "#15171c";
  pen.fillRect(0, 0, canvas.clientWidth, canvas.clientHeight);
  pen.imageSmoothingEnabled = view.scale < 1;
  pen.save();  // tiles at the ends of smaller sizes reach beyond the image
  pen.beginPath();
  pen.rect(left(0), top(data.rows), data.columns * view.scale, data.rows * view.scale);
  pen.clip();
  drawLevels(data.layers[layer].levels, tableOf(data.layers[layer]), state.generation);
  const flags = flagsOf(data.layers[layer]);
  if (flags && at("flag").value) drawLevels(flags.levels, flagTable(flags), at("flag").value);
  pen.restore();
  if (at("sources").checked) drawSources();
  document.body.dataset.ready = reading === 0;
}

function drawSources() {
  pen.strokeStyle = "#40ff40";
  pen.lineWidth = 1.2;
  const radius = Math.min(40, Math.max(4, 6 * view.scale));
  for (const [x, y] of data.sources) {
    const place = [left(x - data.x + 0.5), top(y - data.y + 0.5)];
    if (place[0] < -50 || place[1] < -50 || place[0] > canvas.clientWidth + 50 || place[1] > canvas.clientHeight + 50)
      continue;
    pen.beginPath();
    pen.arc(place[0], place[1], radius, 0, 2 * Math.PI);
    pen.stroke();
  }
}

// -- what is under the pointer ---------------------------------------------------------------------------------------
function numberAt(levels, column, row) {
  const level = levels[0], across = Math.ceil(level.columns / data.tile);
  const tile = tileOf(level, Math.floor(row / data.tile) * across + Math.floor(column / data.tile));
  return tile.numbers ? tile.numbers[row % data.tile * tile.width + column % data.tile] : null;
}

function skyAt(x, y) {
  const sky = data.sky;
  if (!sky) return null;
  const net = (place, length) => Math.min(sky.nodes - 1.000001, Math.max(0, place / length * (sky.nodes - 1)));
  const u = net(x, data.columns), v = net(y, data.rows), column = Math.floor(u), row = Math.floor(v);
  const between = (values) => {
    const value = (down, right) => values[(row + down) * sky.nodes + column + right], a = u - column, b = v - row;
    return (value(0, 0) * (1 - a) + value(0, 1) * a) * (1 - b) + (value(1, 0) * (1 - a) + value(1, 1) * a) * b;
  };
  const second = Math.PI / 648000, degree = Math.PI / 180;
  const xi = between(sky.xi) * second, eta = between(sky.eta) * second, dec0 = sky.middle[1] * degree;
  const depth = Math.cos(dec0) - eta * Math.sin(dec0);
  const ra = sky.middle[0] + Math.atan2(xi, depth) / degree;
  const dec = Math.atan2(Math.sin(dec0) + eta * Math.cos(dec0), Math.hypot(xi, depth)) / degree;
  return [(ra + 360) % 360, dec];
}

function sexagesimal(value, digits) {
  const sign = value < 0 ? "−" : "", unit = 10 ** digits;
  const all = Math.round(Math.abs(value) * 3600 * unit);
  const seconds = ((all % (60 * unit)) / unit).toFixed(digits).padStart(digits + 3, "0");
  const minutes = String(Math.floor(all / (60 * unit)) % 60).padStart(2, "0");
  return `${sign}${String(Math.floor(all / (3600 * unit))).padStart(2, "0")}:${minutes}:${seconds}`;
}

function tellPointer() {
  if (!pointer) return;
  const x = view.x + (pointer[0] - canvas.clientWidth / 2) / view.scale;
  const y = view.y - (pointer[1] - canvas.clientHeight / 2) / view.scale;
  const column = Math.floor(x), row = Math.floor(y);
  if (column < 0 || row < 0 || column >= data.columns || row >= data.rows) { at("told").textContent = " "; return; }
  const one = data.layers[layer], number = numberAt(one.levels, column, row);
  const value = number === null ? "…" : number ? `${valueOf(one, number).toPrecision(5)} ${one.unit}` : "not known";
  const others = Object.entries(one.at).map(([frame, [dx, dy]]) => `  ${frame} ${column + data.x + dx},${row + data.y + dy}`);
  const parts = [`x ${column + data.x}  y ${row + data.y}${others.join("")}`, value], known = flagsOf(one);
  if (known) {
    const flags = known.table[numberAt(known.levels, column, row) ?? -1];
    const names = Object.keys(known.bits).filter((name) => Math.floor(flags / known.bits[name]) % 2 === 1);
    parts.push(flags === undefined ? "…" : names.join(" ") || "GOOD");
  }
  const sky = skyAt(x, y);
  if (sky) parts.push(`${sky[0].toFixed(6)} ${sky[1].toFixed(6)}`, `${sexagesimal(sky[0] / 15, 3)} ${sexagesimal(sky[1], 2)}`);
  const source = nearest(x + data.x - 0.5, y + data.y - 0.5);
  at("told").textContent = parts.join("   ") + (source ? `\n${source}` : "");
}

function nearest(x, y) {
  let best = Math.max(6, 8 / view.scale), found = null;
  for (const [sx, sy, text] of at("sources").checked ? data.sources : []) {
    const distance = Math.hypot(sx - x, sy - y);
    if (distance < best) [best, found] = [distance, text];
  }
  return found;
}

// -- what is done with it --------------------------------------------------------------------------------------------
function recolour() { state.generation++; draw(); }

function choose(number) {
  layer = (number + data.layers.length) % data.layers.length;
  at("layer").value = String(layer);
  at("low").value = data.layers[layer].low.toPrecision(5);
  at("high").value = data.layers[layer].high.toPrecision(5);
  nameFlags();
  draw();
  tellPointer();
}

function nameFlags() {
  const flags = flagsOf(data.layers[layer]);
  document.querySelector(".flags").hidden = !flags;
  at("flag").replaceChildren(option("none", ""));
  if (!flags) return;
  const seen = (bit) => flags.table.some((value) => Math.floor(value / bit) % 2 === 1);
  const names = ["any", ...Object.keys(flags.bits).filter((name) => seen(flags.bits[name]))];
  names.forEach((name) => at("flag").append(option(name, name)));
  at("flag").value = names.includes(wantedFlag) ? wantedFlag : "";  // another layer may have it again
}

function zoom(factor, place) {
  const [px, py] = place || [canvas.clientWidth / 2, canvas.clientHeight / 2];
  const x = view.x + (px - canvas.clientWidth / 2) / view.scale, y = view.y - (py - canvas.clientHeight / 2) / view.scale;
  whole = false;
  view.scale = Math.min(64, Math.max(0.02, view.scale * factor));
  view.x = x - (px - canvas.clientWidth / 2) / view.scale;
  view.y = y + (py - canvas.clientHeight / 2) / view.scale;
  draw();
}

function fit() {
  view.scale = Math.min(canvas.clientWidth / data.columns, canvas.clientHeight / data.rows) * 0.98;
  [view.x, view.y] = [data.columns / 2, data.rows / 2];
  whole = true;
  draw();
}

function auto() {
  const one = data.layers[layer], values = [];
  for (const level of one.levels) for (const tile of level.seen || []) {
    const side = data.tile * level.factor;
    if (!tile || !tile.numbers || left((tile.column + 1) * side) < 0 || left(tile.column * side) > canvas.clientWidth ||
        top((tile.row + 1) * side) > canvas.clientHeight || top(tile.row * side) < 0) continue;
    for (let place = 0; place < tile.numbers.length; place += 41) if (tile.numbers[place]) values.push(tile.numbers[place]);
  }
  if (values.length < 10) return;
  values.sort((a, b) => a - b);
  const part = (share) => valueOf(one, values[Math.floor(share * (values.length - 1))]);
  const [low, high] = [part(0.02), part(0.995)];
  if (low < high) [one.low, one.high] = [low, high];
  choose(layer);
  recolour();
}

function limit() {
  const low = Number(at("low").value), high = Number(at("high").value);
  if (low < high) { [data.layers[layer].low, data.layers[layer].high] = [low, high]; recolour(); }
}

function blink(on) {
  clearInterval(timer);
  at("blink").checked = on;
  timer = on ? setInterval(() => choose(layer + 1), 700) : null;
}

const option = (text, value) => Object.assign(document.createElement("option"), { textContent: text, value });
data.layers.forEach((one, number) => at("layer").append(option(one.name, String(number))));
Object.keys(data.cmaps).forEach((name) => at("cmap").append(option(name, name)));
at("stretch").value = data.stretch;
document.querySelector(".blink").hidden = data.layers.length < 2;
document.querySelector(".sources").hidden = data.sources.length === 0;
at("layer").addEventListener("change", () => choose(Number(at("layer").value)));
at("blink").addEventListener("change", () => blink(at("blink").checked));
["stretch", "cmap", "invert"].forEach((id) => at(id).addEventListener("change", recolour));
["low", "high"].forEach((id) => at(id).addEventListener("change", limit));
at("flag").addEventListener("change", () => { wantedFlag = at("flag").value; draw(); });
at("sources").addEventListener("change", draw);
at("auto").addEventListener("click", auto);
at("in").addEventListener("click", () => zoom(1.5));
at("out").addEventListener("click", () => zoom(1 / 1.5));
at("fit").addEventListener("click", fit);
at("one").addEventListener("click", () => zoom(1 / view.scale));

const touches = new Map();
const placeOf = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); touches.set(event.pointerId, placeOf(event)); });
canvas.addEventListener("pointermove", (event) => {
  pointer = placeOf(event);
  const before = touches.get(event.pointerId);
  if (before) {
    const other = [...touches].find(([id]) => id !== event.pointerId);
    if (other) {
      const apart = (one) => Math.hypot(one[0] - other[1][0], one[1] - other[1][1]);
      zoom(apart(pointer) / Math.max(1, apart(before)), other[1]);
    } else {
      whole = false;
      view.x -= (pointer[0] - before[0]) / view.scale;
      view.y += (pointer[1] - before[1]) / view.scale;
      draw();
    }
    touches.set(event.pointerId, pointer);
  }
  tellPointer();
});
["pointerup", "pointercancel"].forEach((name) => canvas.addEventListener(name, (event) => touches.delete(event.pointerId)));
canvas.addEventListener("wheel", (event) => { event.preventDefault(); zoom(Math.exp(-event.deltaY / 400), placeOf(event)); tellPointer(); }, { passive: false });
canvas.addEventListener("dblclick", (event) => zoom(2, placeOf(event)));
canvas.addEventListener("keydown", (event) => {
  const step = 60 / view.scale;
  const keys = {
    "+": () => zoom(1.5), "=": () => zoom(1.5), "-": () => zoom(1 / 1.5), 0: fit, 1: () => zoom(1 / view.scale),
    b: () => blink(!at("blink").checked), n: () => choose(layer + 1),
    ArrowLeft: () => { view.x -= step; }, ArrowRight: () => { view.x += step; },
    ArrowUp: () => { view.y += step; }, ArrowDown: () => { view.y -= step; },
  };
  if (!keys[event.key] || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  keys[event.key]();
  draw();
});
window.addEventListener("resize", () => whole ? fit() : draw());
choose(0);
fit();
})();
