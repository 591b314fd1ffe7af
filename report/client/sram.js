// What lies in SRAM, address by time: a rectangle for each buffer, in the colour of the layer that wrote it.
if (data.sram) {
  const canvas = document.querySelector("#sram canvas");
  const [HEIGHT, FOOT] = [240, 4];
  const { bytes, buffers, tensors } = data.sram;
  const count = buffers.length / 6;
  const y = (address) => (address / bytes) * HEIGHT;

  function draw() {
    const width = canvas.clientWidth;
    const { context, ratio } = sized(canvas, width, HEIGHT + FOOT);
    context.scale(ratio, ratio);
    const scale = (width - GUTTER) / (view.to - view.from);
    const [ink, line] = [themed("--dim"), themed("--line")];
    context.font = "10px system-ui, sans-serif";
    for (let i = 0; i <= 4; i++) {
      context.fillStyle = line;
      context.fillRect(GUTTER, y((bytes * i) / 4), width - GUTTER, 0.5);
      context.fillStyle = ink;
      context.textAlign = "right";
      context.fillText(`${number((bytes * i) / 4 / 1024)} KiB`, GUTTER - 6, Math.max(9, y((bytes * i) / 4) + 3));
    }
    for (let i = 0; i < count; i++) {
      const [address, size, start, length, layer] = buffers.slice(6 * i, 6 * i + 5);
      if (start >= view.to || start + length <= view.from) continue;
      const left = GUTTER + Math.max(0, (start - view.from) * scale);
      const right = Math.min(width, GUTTER + (start + length - view.from) * scale);
      context.globalAlpha = selected === null || layer === selected ? 1 : 0.13;
      context.fillStyle = data.colors[layer] ?? ink;
      context.fillRect(left, y(address), Math.max(0.5, right - left - 0.3), Math.max(0.5, y(size) - 0.3));
    }
    context.globalAlpha = 1;
  }

  const hit = (cycle, top) => {
    const address = (top / HEIGHT) * bytes;
    for (let i = count - 1; i >= 0; i--) {
      const [from, size, start, length, layer, tensor] = buffers.slice(6 * i, 6 * i + 6);
      if (address < from || address >= from + size || cycle < start || cycle >= start + length) continue;
      const place = `bytes ${number(from)} to ${number(from + size)} (${number(size)})`;
      const time = `cycles ${number(start)} to ${number(start + length)} (${number(length)})`;
      return { layer, text: `${tensors[tensor]}, written by ${data.layers[layer] ?? "no layer"}: ${place}, ${time}` };
    }
    return address < bytes ? { layer: -1, text: `free, at byte ${number(Math.floor(address))}` } : null;
  };

  pointsAt(canvas, hit);
  new ResizeObserver(requestDraw).observe(canvas.parentElement);
  drawings.push(draw);
}
