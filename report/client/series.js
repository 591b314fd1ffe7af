// Amounts over time, drawn by uPlot: stacked areas that share the timeline's part of the run.
for (const chart of data.charts ?? []) {
  const box = document.getElementById(chart.id);
  const { names, colors, unit, ceiling, xs, values } = chart;
  const digits = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
  const written = (value) => `${digits.format(value)} ${unit}`;
  // sums from the first series up; the highest is drawn first, and each covers the lower part of the one before
  const sums = values.map(() => new Float64Array(xs.length));
  for (let i = 0; i < xs.length; i++) {
    let sum = 0;
    values.forEach((series, n) => {
      sum += series[i] ?? 0;
      sums[n][i] = sum;
    });
  }
  const most = Math.max(ceiling, ...(sums.at(-1) ?? [0])) || 1;
  const order = names.map((_, n) => names.length - 1 - n);
  const axis = { stroke: () => themed("--dim"), font: "10px system-ui, sans-serif", ticks: { show: false } };
  const grid = { stroke: () => themed("--line"), width: 1 };

  const plot = new uPlot(
    {
      width: box.clientWidth,
      height: 170,
      padding: [10, 0, 0, 0],
      scales: { x: { time: false }, y: { range: [0, most * 1.02] } },
      cursor: {
        sync: { key: "time" },
        drag: { x: true, y: false, setScale: false },
        points: { show: false },
        // of the step that one points at, not of the nearest beginning of one
        dataIdx: (_plot, _series, nearest, cycle) => (nearest > 0 && xs[nearest] > cycle ? nearest - 1 : nearest),
      },
      legend: { markers: { width: 0 } },
      series: [
        { label: "cycle", value: (_, cycle) => (cycle === null ? "" : number(Math.floor(cycle))) },
        ...order.map((n) => ({
          label: names[n],
          fill: colors[n],
          width: 0,
          points: { show: false },
          paths: uPlot.paths.stepped({ align: 1 }),
          value: (_plot, _sum, _series, i) => (i === null ? "" : written(values[n][i] ?? 0)),
        })),
      ],
      axes: [
        {
          ...axis,
          grid,
          size: 22,
          gap: 2,
          values: (_, at) => at.map(number),
          splits: () => ticks(box.clientWidth < 600 ? 3 : 6),
        },
        { ...axis, grid, size: GUTTER, gap: 6, values: (_, at) => at.map((value) => digits.format(value)) },
      ],
      hooks: {
        setSelect: [
          ({ select: { left, width } }) => {
            if (width < 3) return;
            const [from, to] = [left, left + width].map((at) => plot.posToVal(at, "x"));
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            show(from, to - from);
          },
        ],
        draw: [
          ({ ctx, bbox }) => {
            const line = (y, color) => {
              ctx.fillStyle = color;
              ctx.fillRect(bbox.left, y, bbox.width, Math.max(1, devicePixelRatio));
            };
            if (ceiling > 0) line(plot.valToPos(ceiling, "y", true), themed("--ink"));
            if (selected === null) return;
            const { [selected]: span } = data.spans;
            const [left, right] = span.map((cycle) =>
              Math.max(bbox.left, Math.min(bbox.left + bbox.width, plot.valToPos(cycle, "x", true))),
            );
            ctx.fillStyle = themed("--shade");
            ctx.fillRect(bbox.left, bbox.top, left - bbox.left, bbox.height);
            ctx.fillRect(right, bbox.top, bbox.left + bbox.width - right, bbox.height);
          },
        ],
      },
    },
    [xs, ...order.map((n) => sums[n])],
    box,
  );
  // uPlot marks its keys by lines; ours are filled
  [...box.querySelectorAll(".u-series .u-marker")].slice(1).forEach((marker, i) => {
    marker.style.background = colors[order[i]];
  });
  movesView(box, box);
  new ResizeObserver(() => {
    if (box.clientWidth !== plot.width) plot.setSize({ width: box.clientWidth, height: 170 });
  }).observe(box);
  drawings.push(() => {
    plot.batch(() => {
      plot.setScale("x", { min: view.from, max: view.to });
      plot.redraw(false, true);
    });
  });
}
if (drawings.length > 0) for (const draw of drawings) draw();
