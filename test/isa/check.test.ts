/** Does each rule of a program have a refusal of its own, and does what keeps the rules pass? */
import { describe, expect, it } from "vitest";
import { assemble, checkProgram, RapError } from "../../isa/index.ts";
import { programText } from "../programs/index.ts";

type Edit = readonly [from: string, to: string];

/** Checks text; returns the refusal without path and line, or "". */
function refusal(text: string): string {
  try {
    checkProgram(assemble(text, "x.s"), "x.s");
    return "";
  } catch (error) {
    expect(error).toBeInstanceOf(RapError);
    expect((error as RapError).message).toMatch(/^x\.s: /);
    return (error as RapError).message
      .slice("x.s: ".length)
      .replace(/, line \d+\)| \(line \d+\)/, (at) => (at[0] === "," ? ")" : ""));
  }
}

const conv = "conv src=v0";
const shift = "shift table=v2";
const pool = "pool src=v3";
/** The boxes of the convolution and of the shift. */
const convBox = "tensor=conv1 y=0+:8 x=0+:8 c=0+:16 cCount";
const shiftBox = "tensor=conv1 y=0+:8 x=0+:8 c=0+:16 low";

describe("one wrong thing in a right program", () => {
  it("is what makes it fail", () => {
    expect(refusal(programText("tiny"))).toBe("");
  });

  it.each<[string, readonly Edit[], string]>([
    // memory
    [
      "DRAM too large",
      [[".machine rap-small", ".machine rap-small\n.dram 2000000000"]],
      "the program asks for 2000000000 B of DRAM; at most 1073741824 B are simulated",
    ],
    [
      "constants outside DRAM",
      [[".machine rap-small", ".machine rap-small\n.dram 700"]],
      "constants end at 704, DRAM at 700",
    ],
    [
      "a tensor outside DRAM",
      [[".machine rap-small", ".machine rap-small\n.dram 900"]],
      "tensor 'pool1' ends at 960, DRAM at 900",
    ],
    [
      "a constant without data",
      [["conv1 8x8x16 i8", "conv1 8x8x16 i8\n.tensor more 1x1x8 i8 constant"]],
      "constant tensor 'more' takes DRAM bytes 704..712, the constants 192..704",
    ],
    // streams
    ["no halt", [["  halt", "  fence unit=load"]], "#12 fence (pool1, tile 0): the stream does not end in halt"],
    [
      "instructions behind the halt",
      [["  halt", "  halt\n  halt"]],
      "#12 halt (pool1, tile 0): instructions follow the halt",
    ],
    ["no instructions", [[".body", ".prologue"]], "the program has no instructions; a frame ends in halt"],
    [
      "a prologue without halt",
      [[".body", ".prologue\nfence unit=load\n.body"]],
      "#0 fence: the stream does not end in halt",
    ],
    // instructions by themselves
    [
      "a grid larger than the chip",
      [[conv, "conv grid=1x2 src=v0"]],
      "#8 conv (conv1, tile 0): grid 1 x 2 has more places than the machine's 1 agents",
    ],
    ["a tensor processor too many", [[conv, "conv tp=1 src=v0"]], "tp = 1: the machine has 1 tensor processors"],
    [
      "a wait at issue",
      [["  halt", "  halt waits=loaded"]],
      "#12 halt (pool1, tile 0): runs at issue and cannot wait or signal; use fence",
    ],
    ["an undeclared semaphore", [["waits=pooled", "waits=9"]], "semaphore 9 is not one of the program's 5"],
    [
      "a wait in another unit",
      [["waits=pooled", "waits=shifted"]],
      "#11 store (pool1, tile 0): semaphore 4: its consumer is pool0, not this unit",
    ],
    [
      "a signal from another unit",
      [["signals=pooled", "signals=shifted"]],
      "#10 pool (pool1, tile 0): semaphore 4: its producer is shift0, not this unit",
    ],
    [
      "a semaphore twice",
      [["waits=tabled,summed", "waits=summed,summed"]],
      "#9 shift (conv1, tile 0): a semaphore stands twice in waits",
    ],
    [
      "a tensor that is not there",
      [["dst=v4 tensor=pool1", "dst=v4 tensor=77"]],
      "tensor 77 is not one of the program's 5",
    ],
    ["an empty window", [["y=0+:8 x=0+:8 c=0+:3 address", "y=0+:8 x=0+:0 c=0+:3 address"]], "#0 view: an empty window"],
    [
      "pixels on top of each other",
      [["rowPitch=24 pixelPitch=3", "rowPitch=24 pixelPitch=2"]],
      "#0 view: pixelPitch 2 is less than a pixel's 3 B",
    ],
    [
      "rows on top of each other",
      [["rowPitch=24 pixelPitch=3", "rowPitch=23 pixelPitch=3"]],
      "#0 view: rowPitch 23 is less than a row's 24 B",
    ],
    ["a window outside SRAM", [["address=2048", "address=65281"]], "#4 view: the window ends at 65537, SRAM at 65536"],
    ["a stride of 0", [["stride=2x2", "stride=2x0"]], "#10 pool (pool1, tile 0): a stride of 0"],
    ["a kernel of 0", [["kernel=2x2", "kernel=0x2"]], "#10 pool (pool1, tile 0): a kernel of 0"],
    ["a dilation of 0", [[conv, "conv dilation=0x1 src=v0"]], "#8 conv (conv1, tile 0): a dilation of 0"],
    [
      "a packing the feeder cannot do",
      [[".machine rap-small", ".machine rap-small\n.parameter array.feeder kernelRow"]],
      "packing full: the machine's feeder does kernelRow",
    ],
    // order
    [
      "a wait whose signal comes later",
      [
        ["waits=loaded", "waits=loaded,later"],
        [".layer conv1", ".semaphore later pool -> mac\n.layer conv1"],
        ["signals=pooled", "signals=pooled,later"],
      ],
      "#8 conv (conv1, tile 0): order: waits for semaphore 6, whose signal comes later in the program or never",
    ],
    [
      "a wait whose signal never comes",
      [["signals=loaded", ""]],
      "#8 conv (conv1, tile 0): order: waits for semaphore 1, whose signal comes later in the program or never",
    ],
    [
      "a signal nobody takes",
      [["waits=pooled", ""]],
      "order: semaphore 5: 1 signals without a wait at the end of the frame",
    ],
    [
      "an initial signal used up",
      [
        ["pool -> store", "pool -> store initial 1"],
        ["signals=pooled", ""],
      ],
      "order: semaphore 5: 1 waits without a signal at the end of the frame",
    ],
    [
      "a signal left over by the prologue",
      [[".body", ".prologue\nfence unit=load signals=loaded\nhalt\n.body"]],
      "order: semaphore 1: 1 signals without a wait at the end of the prologue",
    ],
    [
      "an initial count in the prologue",
      [
        [".body", ".prologue\nfence unit=store waits=pooled\nhalt\n.body"],
        ["pool -> store", "pool -> store initial 1"],
      ],
      "#0 fence: order: waits for semaphore 5, whose signal comes later in the program or never",
    ],
    // operands
    [
      "an unset view register",
      [[conv, "conv src=v9"]],
      "#8 conv (conv1, tile 0): src = view register 9, which no earlier view instruction sets",
    ],
    [
      "a view register of the prologue",
      [
        [
          ".body\n  view v0",
          ".prologue\n  view v0 tensor=image y=0+:1 x=0+:1 c=0+:3\n  halt\n.body\n  fence unit=load ; view v0",
        ],
      ],
      "#7 load (conv1, tile 0): dst = view register 0, which no earlier view instruction sets",
    ],
    [
      "a load of a tensor in SRAM only",
      [["load dst=v2 y=0+:1 x=0+:16 c=0+:4", "load dst=v3 y=0+:1 x=0+:1 c=0+:1"]],
      "#7 load (conv1, tile 0): tensor 'conv1' has no place in DRAM",
    ],
    [
      "a fill value of another format",
      [["x=0+:8 c=0+:3\n", "x=0+:8 c=0+:3 fill fillValue=128\n"]],
      "#5 load (conv1, tile 0): fillValue 128 exceeds the destination's -128..127",
    ],
    [
      "a convolution of accumulators",
      [
        ["image 8x8x3 i8 input", "image 8x8x3 i8 input\n.tensor wide 2x2x3 i32"],
        ["view v0", "view v5 tensor=wide y=0+:2 x=0+:2 c=0+:3 address=8192 rowPitch=24 pixelPitch=12\n  view v0"],
        [conv, "conv src=v5"],
      ],
      "src: tensor format i32; the MAC arrays take 8 bits",
    ],
    [
      "weights of another format",
      [["weights 2x27x8 i8", "weights 2x27x8 u8"]],
      "weights: tensor format u8, must be i8",
    ],
    [
      "weights for another array",
      [[".machine rap-small", ".machine rap-small\n.parameter array.cols 4"]],
      "weights: blocks of 8 columns, the array has 4",
    ],
    [
      "a shift from an 8-bit view",
      [[shift, "shift source=view src=v3 table=v2"]],
      "src: tensor format i8, must be i32",
    ],
    ["a table of another shape", [[shift, "shift table=v1"]], "table: must be an i8 tensor [1, channels, 4]"],
    ["a clamp upside down", [["low=0", "low=10 high=9"]], "low 10 is above high 9"],
    ["a clamp beyond the format", [["low=0", "high=128"]], "clamp -128..128 exceeds the destination's -128..127"],
    [
      "pooling into another format",
      [["pool1 4x4x16 i8", "pool1 4x4x16 u8"]],
      "formats i8 and u8: must be the same 8-bit format",
    ],
    [
      "an addition of two formats",
      [
        ["  store", "  add a=v0 b=v4 dst=v4 tensor=pool1 y=0+:1 x=0+:1 c=0+:1\n  store"],
        ["image 8x8x3 i8", "image 8x8x3 u8"],
      ],
      "formats u8 and i8: must be the same 8-bit format",
    ],
    [
      "an addition into accumulators",
      [
        [
          "  store",
          "  view v5 tensor=wide y=0+:1 x=0+:1 c=0+:1 address=8192\n  add a=v3 b=v3 dst=v5 tensor=pool1 y=0+:1 x=0+:1 c=0+:1\n  store",
        ],
        [".tensor pool1", ".tensor wide 1x1x1 i32\n.tensor pool1"],
      ],
      "dst: format i32, must be 8 bits",
    ],
    [
      "an addition of exponents far apart",
      [["  store", "  add a=v3 b=v3 dst=v3 tensor=conv1 y=0+:1 x=0+:1 c=0+:1 exponentA=17\n  store"]],
      "exponents 17 and 0 are more than 16 apart",
    ],
    [
      "an addition clamped beyond the format",
      [["  store", "  add a=v3 b=v3 dst=v3 tensor=conv1 y=0+:1 x=0+:1 c=0+:1 high=200\n  store"]],
      "clamp -128..200 exceeds the destination's -128..127",
    ],
    [
      "a copy to another format",
      [
        ["  store", "  copy src=v3 dst=v0 y=0+:1 x=0+:1 c=0+:1\n  store"],
        ["image 8x8x3 i8", "image 8x8x3 u8"],
      ],
      "formats i8 and u8 differ",
    ],
    // accesses
    [
      "a load outside its view",
      [
        ["rowPitch=24 pixelPitch=3", "rowPitch=24 pixelPitch=3 ; half"],
        ["y=0+:8 x=0+:8 c=0+:3 address", "y=0+:4 x=0+:8 c=0+:3 address"],
      ],
      "#5 load (conv1, tile 0), agent 0: dst: box [0:8, 0:8, 0:3] of tensor 'image' is outside its view [0:4, 0:8, 0:3]",
    ],
    [
      "an input window outside its view",
      [
        ["v0 tensor=image y=0+:8 x=0+:8", "v0 tensor=image y=0+:8 x=0+:7"],
        ["load dst=v0 y=0+:8 x=0+:8", "load dst=v0 y=0+:8 x=0+:7"],
      ],
      "#8 conv (conv1, tile 0), agent 0: src: box [0:8, 0:8, 0:3] of tensor 'image' is outside its view [0:8, 0:7, 0:3]",
    ],
    [
      "input channels the tensor has not",
      [["cCount=3", "cBegin=1 cCount=3"]],
      "src: channels 1..4 of tensor 'image', which has 3",
    ],
    [
      "weight rows the tensor has not",
      [["cCount=3", "weightRow=1 cCount=3"]],
      "weights: box [0:2, 1:28, 0:8] of tensor 'weights' is outside its view [0:2, 0:27, 0:8]",
    ],
    [
      "output channels not on a block",
      [[convBox, convBox.replace("c=0+", "c=4+")]],
      "c: the box starts at output channel 4, not a multiple of array.cols = 8",
    ],
    [
      "accumulators beyond the array's",
      [[conv, "conv accRow=129 src=v0"]],
      "#8 conv (conv1, tile 0), agent 0: writes accumulators bytes 4128..8224 of 8192",
    ],
    [
      "a table too short",
      [
        ["v2 tensor=table y=0+:1 x=0+:16", "v2 tensor=table y=0+:1 x=0+:15"],
        ["load dst=v2 y=0+:1 x=0+:16", "load dst=v2 y=0+:1 x=0+:15"],
      ],
      "table: box [0:1, 0:16, 0:4] of tensor 'table' is outside its view [0:1, 0:15, 0:4]",
    ],
    [
      "a channel offset out of the destination",
      [[shiftBox, shiftBox.replace("low", "channelOffset=1 low")]],
      "dst: box [0:8, 0:8, 1:17] of tensor 'conv1' is outside its view [0:8, 0:8, 0:16]",
    ],
    [
      "a pooling window in the padding alone",
      [[pool, "pool padTop=2 src=v3"]],
      "#10 pool (pool1, tile 0), agent 0: box [0:4, 0:4, 0:16]: a pooling window lies wholly outside tensor 'conv1' [8, 8, 16]",
    ],
    [
      "a pooling window that begins right behind the last row",
      [
        ["pool1 4x4x16", "pool1 5x4x16"],
        ["tensor=pool1 y=0+:4 x=0+:4 c=0+:16 kernel", "tensor=pool1 y=0+:5 x=0+:4 c=0+:16 kernel"],
      ],
      "box [0:5, 0:4, 0:16]: a pooling window lies wholly outside tensor 'conv1' [8, 8, 16]",
    ],
    [
      "a pooling window behind the last column",
      [["stride=2x2", "stride=2x3"]],
      "a pooling window lies wholly outside tensor 'conv1' [8, 8, 16]",
    ],
  ])("%s", (_, edits, message) => {
    expect(refusal(programText("tiny", ...edits))).toContain(message);
  });

  const output = { tensor: "pool1", height: 4, width: 4, channels: 16, format: "i8", exponents: Array(16).fill(0) };
  const input = {
    height: 8,
    width: 8,
    channels: 3,
    colorOrder: "RGB",
    mean: [0],
    scale: 1,
    tensor: "image",
    format: "i8",
    exponent: 0,
  };

  const host = (changes: object) =>
    `.host\n${JSON.stringify({ input, outputs: [output], head: null, trained: false, ...changes })}\n.end\n`;

  it.each<[string, object, string]>([
    ["nothing wrong", {}, ""],
    [
      "an input that is none",
      { input: { ...input, tensor: "pool1" } },
      "host section: input tensor 'pool1' is not an input of the program",
    ],
    [
      "an input of another height",
      { input: { ...input, height: 9 } },
      "host section: input 'image' differs in shape or format from the program's tensor",
    ],
    [
      "an output that is none",
      { outputs: [{ ...output, tensor: "conv1" }] },
      "host section: output 'conv1' is not an output of the program",
    ],
    [
      "an output of another format",
      { outputs: [{ ...output, format: "u8" }] },
      "host section: output 'pool1' differs in shape or format from the program's tensor",
    ],
    [
      "exponents missing",
      { outputs: [{ ...output, exponents: [0] }] },
      "host section: output 'pool1' has 1 exponents for 16 channels",
    ],
    [
      "a run-time scale that is no int32",
      { outputs: [{ ...output, runtimeScale: "pool1" }] },
      "host section: output 'pool1': its run-time scale 'pool1' is not an output of the program of one int32",
    ],
    [
      "a run-time scale that is not there",
      { outputs: [{ ...output, runtimeScale: "z" }] },
      "host section: output 'pool1': its run-time scale 'z' is not an output of the program of one int32",
    ],
  ])("host section: %s", (_, changes, message) => {
    expect(refusal(programText("tiny", [".body", `${host(changes)}.body`]))).toBe(message);
  });
});

/** Four agents in a 2 x 2 grid; each loads its quarter of the picture, adds it to itself and stores it. */
function grid(lines: string, declarations = ""): string {
  return `.machine quad custom
.parameter agents 4
.tensor in 8x8x3 i8 input
.tensor out 8x8x3 i8 output
.semaphore loaded load -> pool
.semaphore added pool -> store
${declarations}
view v0 tensor=in y=4*iy+:4 x=4*ix+:4 c=0+:3 rowPitch=12 pixelPitch=3 grid=2x2
view v1 tensor=out y=4*iy+:4 x=4*ix+:4 c=0+:3 address=64 rowPitch=12 pixelPitch=3 grid=2x2
${lines}
halt`;
}
const load = "load dst=v0 y=4*iy+:4 x=4*ix+:4 c=0+:3 grid=2x2 signals=loaded";
const add = "add a=v0 b=v0 dst=v1 tensor=out y=4*iy+:4 x=4*ix+:4 c=0+:3 grid=2x2 waits=loaded signals=added";
const store = "store src=v1 y=4*iy+:4 x=4*ix+:4 c=0+:3 grid=2x2 waits=added";

it.each(["accHeight=3", "accWidth=3"])("a range's box is no larger than the tile it is a part of: %s", (extent) => {
  const range = "range table=v0 tensor=in y=0+:4 x=0+:4 c=0+:3";
  expect(refusal(grid(`${range} ${extent}`))).toContain("a box of 4 x 4 cannot be a part of an accumulator tile of");
});

describe("several agents", () => {
  it("do their shares", () => {
    expect(refusal(grid([load, add, store].join("\n")))).toBe("");
  });

  it("are clipped to the tensor: what lies outside takes no room in a view", () => {
    // the second grid row starts at row 6 of 8, so half of its boxes lies below the picture
    const low = grid([load, add, store].join("\n")).replaceAll("y=4*iy+:4", "y=6*iy+:4");
    expect(refusal(low.replaceAll(/^(view .*)y=6\*iy\+:4/gm, "$1y=6*iy+:2"))).toContain(
      "agent 0: dst: box [0:4, 0:4, 0:3]",
    );
    expect(refusal(low)).toBe("");
    // agents in the second grid row have nothing left to do
    expect(refusal(low.replaceAll("y=6*iy+:4", "y=8*iy+:4"))).toBe("");
  });

  it("are named when one is wrong", () => {
    expect(refusal(grid([load, add.replace("4*ix+:4", "3*ix+:4"), store].join("\n")))).toMatch(
      /^#3 add, agent 1: a: box \[0:4, 3:7, 0:3\] of tensor 'in' is outside its view \[0:4, 4:8, 0:3\]$/,
    );
  });

  it("outside an instruction's grid do nothing", () => {
    const small = (line: string) => line.replace("grid=2x2", "grid=1x2");
    expect(refusal(grid([load, add, store].map(small).join("\n")))).toBe("");
  });

  it.each([
    ["none", "y=4*iy+:4 x=4*ix+:4", ""],
    ["row", "y=4*iy+:4 x=0+:4", ""],
    ["column", "y=0+:4 x=4*ix+:4", ""],
    ["all", "y=0+:4 x=0+:4", ""],
    ["row", "y=4*iy+:4 x=4*ix+:4", "x: the box differs between the agents of a multicast group (row)"],
    ["column", "y=4*iy+:4 x=4*ix+:4", "y: the box differs between the agents of a multicast group (column)"],
    ["all", "y=4*iy+:4 x=0+:4", "y: the box differs between the agents of a multicast group (all)"],
    ["all", "y=0+:4 x=4*ix+:4", "x: the box differs between the agents of a multicast group (all)"],
  ])("load multicast=%s %s: %j", (multicast, box, message) => {
    const window = `view v2 tensor=in y=0+:8 x=0+:8 c=0+:3 address=1024 rowPitch=24 pixelPitch=3`;
    const line = `load dst=v2 ${box} c=0+:3 grid=2x2 multicast=${multicast}`;
    const text = refusal(grid([window, line, load, add, store].join("\n")));
    expect(text).toBe(message === "" ? "" : `#3 load: ${message}`);
  });

  it("may send to each other: offset semaphores keep the order in all agents or in none", () => {
    const east = ".semaphore east link -> pool grid 2x2 offset 0,1";
    const copy = "copy src=v0 dst=v0 y=4*iy+:4 x=4*ix+:4 c=0+:3 grid=2x2 offset=0,1 signals=east";
    const take = "fence unit=pool waits=east";
    // sent to the east, the tile must lie in the receiver's window
    const wideViews = (text: string) => text.replace("x=4*ix+:4 c=0+:3 rowPitch=12", "x=0+:8 c=0+:3 rowPitch=24");
    expect(refusal(wideViews(grid([load, copy, take, add, store].join("\n"), east)))).toBe("");
    expect(refusal(wideViews(grid([load, take, copy, add, store].join("\n"), east)))).toBe(
      "#3 fence: order: waits for semaphore 3, whose signal comes later in the program or never (link to pool); signal it earlier, or take the wait away",
    );
    expect(refusal(wideViews(grid([load, copy, add, store].join("\n"), east)))).toBe(
      "order: semaphore 3: 1 signals without a wait at the end of the frame (link to pool; the last in #3 copy); add the wait, or take the signal away",
    );
    expect(refusal(grid([load, copy, take, add, store].join("\n"), east))).toBe(
      "#3 copy, agent 0: dst: box [0:4, 0:4, 0:3] of tensor 'in' is outside its view [0:4, 4:8, 0:3]",
    );
  });

  it("may start with signals of a frame before", () => {
    const free = ".semaphore free pool -> load initial 1";
    const lines = [load.replace("signals", "waits=free signals"), add.replace("added", "added,free"), store];
    expect(refusal(grid(lines.join("\n"), free))).toBe("");
    expect(refusal(grid(lines.join("\n"), free.replace("initial 1", "initial 0")))).toBe(
      "#2 load: order: waits for semaphore 3, whose signal comes later in the program or never (pool to load); signal it earlier, or take the wait away",
    );
  });
});
