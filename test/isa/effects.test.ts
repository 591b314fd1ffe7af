/** Do the byte ranges of `effects` hold exactly what an instruction touches? Against element loops over small tiles. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Access,
  assemble,
  bindViews,
  createMachine,
  effects,
  handlerOf,
  instruction,
  type Program,
  type Region,
  viewAddress,
} from "../../isa/index.ts";
import { loadProgram } from "../programs/index.ts";

const tiny = loadProgram("tiny");

function bytesOf({ base, n0, pitch0, n1, pitch1, bytes }: Region): Set<number> {
  const set = new Set<number>();
  for (let i = 0; i < n0; i++)
    for (let j = 0; j < n1; j++) for (let k = 0; k < bytes; k++) set.add(base + i * pitch0 + j * pitch1 + k);
  return set;
}

/** Accesses of the last instruction but the halt, as `space read|write from..to`. */
function accessesOf(program: Program, agent = 0): string[] {
  const bound = bindViews(program.body, String);
  return effects(program, bound[bound.length - 2], agent).map(describeAccess);
}

function describeAccess({ space, agent, write, region: r }: Access): string {
  const runs = r.n0 * r.n1 === 1 ? "" : ` in ${r.n0 * r.n1} runs of ${r.bytes}`;
  const end = r.base + (r.n0 - 1) * r.pitch0 + (r.n1 - 1) * r.pitch1 + r.bytes;
  return `${write ? "writes" : "reads"} ${space}${agent} ${r.base}..${end}${runs}`;
}

/** A chip of 2 x 2 agents with 4-column arrays, some views, and one instruction. */
const quad = (line: string) =>
  assemble(
    `.machine quad custom
.parameter agents 4
.parameter array.cols 4
.tensor picture 8x8x1 u8 input at 512
.tensor in 8x8x4 i8 intermediate at 1024
.tensor sums 8x8x4 i32
.tensor out 8x8x8 i8 output at 4096
.tensor w 2x36x4 i8 constant at 8192
.tensor table 1x8x4 i8 constant at 9216
view v0 tensor=in y=-1+4*iy+:6 x=-1+4*ix+:6 c=0+:4 rowPitch=24 pixelPitch=4 grid=2x2
view v1 tensor=out y=4*iy+:4 x=4*ix+:4 c=0+:8 address=1000 rowPitch=32 pixelPitch=8 grid=2x2
view v2 tensor=w y=0+:2 x=0+:36 c=0+:4 address=2000 rowPitch=144 pixelPitch=4
view v3 tensor=table y=0+:1 x=0+:8 c=0+:4 address=3000 pixelPitch=4
view v4 tensor=sums y=4*iy+:4 x=4*ix+:4 c=0+:4 address=4000 rowPitch=64 pixelPitch=16 grid=2x2
view v5 tensor=out y=0+:8 x=0+:8 c=0+:8 address=5000 rowPitch=64 pixelPitch=8
${line}
halt`,
    "x.s",
  );
const tile = "y=4*iy+:4 x=4*ix+:4 grid=2x2";

describe("each instruction", () => {
  it.each<[string, number, string[]]>([
    ["fence unit=mac", 0, []],
    ["sync after=all before=all", 0, []],
    // 5 x 5 of the 6 x 6 halo tile lie in the picture: the first row and column are outside
    [
      "load dst=v0 y=-1+4*iy+:6 x=-1+4*ix+:6 c=0+:4 grid=2x2",
      0,
      ["reads dram0 1024..1172 in 5 runs of 20", "writes sram0 28..144 in 5 runs of 20"],
    ],
    [
      "load dst=v0 y=-1+4*iy+:6 x=-1+4*ix+:6 c=0+:4 grid=2x2",
      3,
      ["reads dram0 1132..1280 in 5 runs of 20", "writes sram3 0..116 in 5 runs of 20"],
    ],
    // filled, the whole tile is written
    [
      "load fill dst=v0 y=-1+4*iy+:6 x=-1+4*ix+:6 c=0+:4 grid=2x2",
      0,
      ["reads dram0 1024..1172 in 5 runs of 20", "writes sram0 0..144", "writes sram0 28..144 in 5 runs of 20"],
    ],
    [`store src=v1 ${tile} c=0+:8`, 1, ["reads sram1 1000..1128", "writes dram0 4128..4352 in 4 runs of 32"]],
    // 2 blocks of 4 x 4 rows of 16 B; 2 x 36 rows of weights
    [
      `conv src=v0 weights=v2 tensor=out ${tile} c=0+:8 kernel=3x3 padTop=1 padLeft=1 cCount=4 groupIn=4 groupOut=8`,
      0,
      ["reads sram0 28..144 in 5 runs of 20", "reads sram0 2000..2288", "writes accumulators0 0..512"],
    ],
    [
      `conv add accRow=8 src=v0 weights=v2 tensor=out ${tile} c=4+:4 kernel=1x1 cBegin=1 cCount=2 groupIn=4 groupOut=8 weightRow=5`,
      3,
      [
        "reads sram3 29..115 in 16 runs of 2",
        "reads sram3 2164..2172",
        "reads accumulators3 128..384",
        "writes accumulators3 128..384",
      ],
    ],
    // 6 channels take a second block of 4 columns as well
    [
      `conv src=v0 weights=v2 tensor=out ${tile} c=0+:6 kernel=1x1 cCount=4 groupIn=4 groupOut=8`,
      0,
      ["reads sram0 28..116 in 4 runs of 16", "reads sram0 2000..2160 in 2 runs of 16", "writes accumulators0 0..512"],
    ],
    // depthwise: output channels 4..8 of 4 groups read input channels 2..4
    [
      `conv src=v0 weights=v2 tensor=out ${tile} c=4+:4 kernel=1x1 cCount=1 groupIn=1 groupOut=2`,
      0,
      ["reads sram0 30..116 in 16 runs of 2", "reads sram0 2144..2148", "writes accumulators0 0..256"],
    ],
    [
      `shift table=v3 dst=v1 tensor=sums ${tile} c=0+:4 accRow=2 channelOffset=4 exponentIn=r3 exponentOut=r4`,
      2,
      [
        "reads accumulators2 32..288",
        "reads sram2 3000..3016",
        "reads registers2 3..4",
        "reads registers2 4..5",
        "writes sram2 1004..1128 in 16 runs of 4",
      ],
    ],
    [
      `shift source=view src=v4 table=v3 dst=v1 tensor=sums ${tile} c=0+:4`,
      0,
      ["reads sram0 4000..4256", "reads sram0 3000..3016", "writes sram0 1000..1124 in 16 runs of 4"],
    ],
    [
      `range table=v3 tensor=sums ${tile} c=0+:4 histogram=h2`,
      0,
      ["reads accumulators0 0..256", "reads sram0 3000..3016", "writes registers0 34..35"],
    ],
    [
      `pool src=v0 dst=v1 tensor=sums ${tile} c=0+:4 kernel=3x3 padTop=1 padLeft=1`,
      0,
      ["reads sram0 28..144 in 5 runs of 20", "writes sram0 1000..1124 in 16 runs of 4"],
    ],
    [
      `add a=v4 b=v4 dst=v1 tensor=sums ${tile} c=0+:4 registerA=r1 registerB=r2 registerOut=r3`,
      0,
      [
        "reads sram0 4000..4256",
        "reads sram0 4000..4256",
        "reads registers0 1..2",
        "reads registers0 2..3",
        "reads registers0 3..4",
        "writes sram0 1000..1124 in 16 runs of 4",
      ],
    ],
    [
      `copy src=v1 dst=v5 ${tile} c=0+:8 offset=0,1`,
      0,
      ["reads sram0 1000..1128", "writes sram1 5000..5224 in 4 runs of 32"],
    ],
    // to the right of the last column there is nobody
    [`copy src=v1 dst=v5 ${tile} c=0+:8 offset=0,1`, 1, []],
    ["reduce histogram=h1", 0, ["writes registers0 33..34"]],
    ["exponent dst=r5 histogram=h1 bits=7 grid=1x2", 1, ["writes registers1 33..34", "writes registers1 5..6"]],
    ["scalar dst=r5 a=r0 b=r6", 0, ["reads registers0 6..7", "writes registers0 5..6"]],
    // clipped to nothing, and outside the grid
    ["exponent dst=r5 histogram=h1 bits=7", 1, []],
    [`store src=v1 y=8*iy+:4 x=4*ix+:4 c=0+:8 grid=2x2`, 2, []],
    ["store src=v1 y=0+:4 x=4*ix+:4 c=0+:8 grid=1x2", 2, []],
  ])("%s, agent %i", (line, agent, expected) => {
    expect(accessesOf(quad(line), agent)).toEqual(expected);
  });
});

/** A convolution on one agent: geometry, and the tile of outputs it computes. */
const geometry = fc
  .record({
    height: fc.integer({ min: 1, max: 9 }),
    width: fc.integer({ min: 1, max: 9 }),
    kernelY: fc.integer({ min: 1, max: 3 }),
    kernelX: fc.integer({ min: 1, max: 3 }),
    strideY: fc.integer({ min: 1, max: 3 }),
    strideX: fc.integer({ min: 1, max: 3 }),
    dilationY: fc.integer({ min: 1, max: 2 }),
    dilationX: fc.integer({ min: 1, max: 2 }),
    padTop: fc.nat(2),
    padLeft: fc.nat(2),
    y: fc.nat(4),
    x: fc.nat(4),
    rows: fc.integer({ min: 1, max: 4 }),
    columns: fc.integer({ min: 1, max: 4 }),
  })
  .map((g) => ({ ...g, outHeight: 8, outWidth: 8 }));

describe("a convolution", () => {
  it("reads every input element its outputs need, and none outside their rows and columns", () => {
    const channels = 3;
    fc.assert(
      fc.property(geometry, (g) => {
        const machine = createMachine("m", { agents: 1, "array.cols": 4 }, "test");
        const sramOnly = { format: "i8", role: "none", address: 0 } as const;
        const tensors = [
          { ...sramOnly, name: "in", height: g.height, width: g.width, channels },
          { ...sramOnly, name: "w", height: 1, width: 27, channels: 4 },
          { ...sramOnly, name: "out", height: g.outHeight, width: g.outWidth, channels: 4 },
        ];
        const axis = (base: number, extent: number) => ({ base, stepA: 0, stepB: 0, extent });
        const whole = { y: axis(0, g.height), x: axis(0, g.width), c: axis(0, channels) };
        const view = instruction("view", { ...whole, view: 0, rowPitch: 40, pixelPitch: 4, address: 100 });
        const weights = instruction("view", {
          y: axis(0, 1),
          x: axis(0, 27),
          c: axis(0, 4),
          view: 1,
          tensor: 1,
          pixelPitch: 4,
          rowPitch: 108,
        });
        const { height: _h, width: _w, y, x, rows, columns, outHeight, outWidth, ...op } = g;
        const conv = instruction("conv", {
          ...op,
          tensor: 2,
          weights: 1,
          y: axis(y, rows),
          x: axis(x, columns),
          c: axis(0, 4),
          cCount: channels,
          groupIn: channels,
          groupOut: 4,
        });
        const bound = bindViews([view, weights, conv], String)[2];
        const accesses = effects({ machine, tensors }, bound, 0);
        const needed = new Set<number>();
        const window = { y0: 0, y1: g.height, x0: 0, x1: g.width, c0: 0, c1: channels };
        const seen = { tensor: 0, format: "i8" as const, window, address: 100, rowPitch: 40, pixelPitch: 4 };
        for (let oy = y; oy < Math.min(y + rows, outHeight); oy++)
          for (let ox = x; ox < Math.min(x + columns, outWidth); ox++)
            for (let r = 0; r < g.kernelY; r++)
              for (let s = 0; s < g.kernelX; s++) {
                const iy = oy * g.strideY + r * g.dilationY - g.padTop;
                const ix = ox * g.strideX + s * g.dilationX - g.padLeft;
                if (iy < 0 || iy >= g.height || ix < 0 || ix >= g.width) continue;
                for (let c = 0; c < channels; c++) needed.add(viewAddress(seen, iy, ix, c));
              }
        const input = accesses.find(({ write, region }) => !write && region.base >= 100);
        const read = input === undefined ? new Set<number>() : bytesOf(input.region);
        expect([...needed].filter((byte) => !read.has(byte))).toEqual([]);
        const dense = [g.strideY <= g.kernelY, g.strideX <= g.kernelX, g.dilationY === 1, g.dilationX === 1].every(
          Boolean,
        );
        if (dense) expect(read).toEqual(needed);
      }),
      { numRuns: 500 },
    );
  });

  it("writes one accumulator row of `cols` int32 for each output pixel of each block, in the order block, row, column", () => {
    // clipped below and on the right: 2 blocks of a 5 x 5 tile, of which 4 x 3 lie inside
    const program = quad(
      "view v6 tensor=in y=0+:8 x=0+:8 c=0+:4 address=6000 rowPitch=32 pixelPitch=4\n" +
        "conv src=v6 weights=v2 tensor=out y=4+:5 x=5+:5 c=0+:8 kernel=1x1 cCount=4 groupIn=4 groupOut=8 accRow=7",
    );
    const bound = bindViews(program.body, String);
    const written = effects(program, bound[bound.length - 2], 0).find(({ write }) => write) as Access;
    const expected = new Set<number>();
    for (let block = 0; block < 2; block++)
      for (let row = 0; row < 4; row++)
        for (let column = 0; column < 3; column++)
          for (let b = 0; b < 16; b++) expected.add((7 + (block * 5 + row) * 5 + column) * 16 + b);
    expect(bytesOf(written.region)).toEqual(expected);
  });
});

describe("the hand-written program", () => {
  it("touches what it should", () => {
    const bound = bindViews(tiny.body, String);
    const lines = bound.map((item) => effects(tiny, item, 0).map(describeAccess));
    expect(lines.slice(5)).toEqual([
      ["reads dram0 0..192", "writes sram0 0..192"],
      ["reads dram0 192..624", "writes sram0 256..688"],
      ["reads dram0 640..704", "writes sram0 704..768"],
      ["reads sram0 0..192", "reads sram0 256..688", "writes accumulators0 0..4096"],
      ["reads accumulators0 0..4096", "reads sram0 704..768", "writes sram0 1024..2048"],
      ["reads sram0 1024..2048", "writes sram0 2048..2304"],
      ["reads sram0 2048..2304", "writes dram0 704..960"],
      [],
    ]);
  });

  it("is dispatched by operation", () => {
    const halt = instruction("halt", {});
    const names = { halt: () => "end" } as unknown as Parameters<typeof handlerOf<[], string>>[0];
    expect(handlerOf(names, halt)(halt)).toBe("end");
  });
});
