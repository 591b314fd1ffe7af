// Units over time. What is drawn costs by pixels, not by intervals: each column of a unit's row gets one colour.
if (data.tracks) {
  const box = document.getElementById("timeline");
  const canvas = box.querySelector("canvas");
  const spacer = box.querySelector("div");
  const [ROW, WORK, HEAD] = [14, 9, 18];

  /** Flat numbers, `size` to an interval, as columns. */
  const columns = (flat, size) => {
    const count = flat.length / size;
    const [starts, ends] = [new Float64Array(count), new Float64Array(count)];
    const details = Array.from({ length: size - 2 }, () => new Int32Array(count));
    let cycle = 0;
    for (let i = 0; i < count; i++) {
      starts[i] = cycle + flat[size * i];
      cycle = ends[i] = starts[i] + flat[size * i + 1];
      details.forEach((detail, n) => {
        detail[i] = flat[size * i + 2 + n];
      });
    }
    return { starts, ends, what: details[0], index: details[1] };
  };
  const tracks = data.tracks.map(({ agent, unit, work, stalls }) => ({
    name: agent < 0 ? `DRAM ${unit}` : `agent ${agent}: ${unit}`,
    work: columns(work, 4),
    stalls: columns(stalls, 3),
  }));

  /** The first interval that ends after a cycle. */
  const firstAfter = ({ ends }, cycle) => {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ends[middle] > cycle) high = middle;
      else low = middle + 1;
    }
    return low;
  };

  /** For each column of pixels what takes most of it (-1: nothing), and what share of it is taken. */
  function fill({ starts, ends, what }, width, column, share) {
    column.fill(-1);
    share.fill(0);
    const scale = width / (view.to - view.from);
    const most = new Float64Array(width);
    for (let i = firstAfter({ ends }, view.from); i < starts.length && starts[i] < view.to; i++) {
      const left = Math.max(0, (starts[i] - view.from) * scale);
      const right = Math.min(width, (ends[i] - view.from) * scale);
      for (let x = Math.floor(left); x < right; x++) {
        const part = Math.min(right, x + 1) - Math.max(left, x);
        share[x] += part;
        // what is marked shows however short it is
        const weight = selected !== null && what[i] === selected ? part + 1 : part;
        if (weight > most[x]) {
          most[x] = weight;
          column[x] = what[i];
        }
      }
    }
  }

  const visible = () => (printing.matches ? HEAD + tracks.length * ROW : box.clientHeight);

  function draw() {
    const height = visible();
    const width = canvas.clientWidth;
    const { context, ratio } = sized(canvas, width, height);
    spacer.style.height = `${HEAD + tracks.length * ROW - height}px`;
    const [ink, line, ground] = [themed("--dim"), themed("--line"), themed("--page")];
    const [columnCount, lineCount] = [canvas.width, canvas.height];
    const left = Math.round(GUTTER * ratio);
    const across = Math.max(1, columnCount - left);
    const image = context.createImageData(columnCount, lineCount);
    const pixels = new Uint32Array(image.data.buffer);
    pixels.fill(pixel(ground, ground, 1));
    const grid = pixel(line, ground, 1);
    const at = ticks(width < 600 ? 3 : 6);
    const x = (cycle) => left + ((cycle - view.from) / (view.to - view.from)) * across;
    for (const cycle of at) {
      for (let y = Math.round(HEAD * ratio); y < lineCount; y++) pixels[y * columnCount + Math.floor(x(cycle))] = grid;
    }

    // colours in sixteen strengths, by how much of a column is taken
    const strengths = (colors) =>
      colors.map((color, what) => {
        const strong = selected === null || what === selected ? 1 : 0.13;
        return Array.from({ length: 17 }, (_, i) => pixel(color, ground, strong * (0.3 + (0.7 * i) / 16)));
      });
    const layers = strengths(data.colors);
    const [fetch] = strengths([ink]);
    const causes = data.causeColors.map((color) =>
      Array.from({ length: 17 }, (_, i) =>
        pixel(color, ground, (selected === null ? 1 : 0.3) * (0.2 + (0.8 * i) / 16)),
      ),
    );
    const [column, share] = [new Int32Array(across), new Float64Array(across)];
    const first = Math.max(0, Math.floor(box.scrollTop / ROW));
    const last = Math.min(tracks.length, Math.ceil((box.scrollTop + height - HEAD) / ROW));
    const top = (row) => HEAD + row * ROW - (printing.matches ? 0 : box.scrollTop);
    const paint = (of, colors, from, to) => {
      fill(of, across, column, share);
      const line0 = Math.max(Math.round(HEAD * ratio), Math.round(from * ratio));
      const line1 = Math.min(lineCount, Math.round(to * ratio));
      if (line0 >= line1) return;
      const at0 = line0 * columnCount + left;
      for (let i = 0; i < across; i++) {
        if (share[i] === 0) continue;
        pixels[at0 + i] = colors(column[i])[Math.min(16, Math.round(16 * share[i]))];
      }
      for (let y = line0 + 1; y < line1; y++) {
        for (let i = 0; i < across; i++) {
          if (share[i] > 0) pixels[y * columnCount + left + i] = pixels[at0 + i];
        }
      }
    };
    for (let row = first; row < last; row++) {
      const y = top(row);
      paint(tracks[row].stalls, (cause) => causes[cause] ?? fetch, y + WORK - 2, y + WORK + 1);
      paint(tracks[row].work, (layer) => layers[layer] ?? fetch, y + 1, y + WORK + 1);
    }
    context.putImageData(image, 0, 0);
    context.scale(ratio, ratio);
    context.font = "10px system-ui, sans-serif";
    context.fillStyle = ink;
    context.save();
    context.beginPath();
    context.rect(0, HEAD, width, height);
    context.clip();
    for (let row = first; row < last; row++) context.fillText(tracks[row].name, 2, top(row) + WORK, GUTTER - 6);
    context.restore();
    context.textAlign = "center";
    for (const cycle of at) {
      const place = Math.max(GUTTER + 16, Math.min(width - 26, x(cycle) / ratio));
      context.fillText(number(cycle), place, 12);
    }
    context.textAlign = "left";
    context.fillText("cycle", 2, 12);
  }

  const hit = (cycle, y) => {
    const row = Math.floor((y - HEAD + box.scrollTop) / ROW);
    if (y < HEAD || tracks[row] === undefined) return null;
    const { name, work, stalls } = tracks[row];
    const within = (of) => {
      const i = firstAfter(of, cycle);
      return of.starts[i] <= cycle ? i : -1;
    };
    const text = (of, i, what) =>
      `${name}: ${what}, cycles ${number(of.starts[i])} to ${number(of.ends[i])} (${number(of.ends[i] - of.starts[i])})`;
    const i = within(work);
    if (i >= 0) {
      const index = work.index[i];
      const operation = data.operations[data.instructions[2 * index]];
      const instruction =
        operation === undefined
          ? ""
          : `, ${operation} #${number(index)}, tile ${number(data.instructions[2 * index + 1])}`;
      const layer = data.layers[work.what[i]] ?? "instruction fetch";
      return { layer: work.what[i], text: text(work, i, layer + instruction) };
    }
    const stall = within(stalls);
    if (stall >= 0) return { layer: -1, text: text(stalls, stall, data.causes[stalls.what[stall]]) };
    return { layer: -1, text: `${name}: idle at cycle ${number(Math.floor(cycle))}` };
  };

  pointsAt(canvas, hit);
  box.addEventListener("scroll", requestDraw, { passive: true });
  new ResizeObserver(requestDraw).observe(box);
  drawings.push(draw);
}
