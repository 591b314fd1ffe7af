/** Does assembly say everything of a program, is it read back bit for bit, and is every mistake in it named with its place? */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  assemble,
  checkProgram,
  decodeProgram,
  disassemble,
  encodeProgram,
  type Instruction,
  instruction,
  loadPreset,
  type Program,
  RapError,
} from "../../isa/index.ts";
import { arbitraryInstruction } from "../arbitrary/instruction.ts";
import { loadProgram, programText } from "../programs/index.ts";
import { arbitraryProgram } from "./random-program.ts";

const tiny = loadProgram("tiny");

function expectRoundTrip(program: Program): void {
  const file = encodeProgram(program);
  const text = disassemble(decodeProgram(file, "a.bin"));
  // comparing element by element would take long
  expect(Buffer.from(encodeProgram(assemble(text, "a.s"))).equals(file)).toBe(true);
}

describe("round trip", () => {
  it("gives back every program byte for byte", () => {
    fc.assert(fc.property(arbitraryProgram, expectRoundTrip), { numRuns: 200 });
  });

  it("gives back every instruction", () => {
    fc.assert(
      fc.property(fc.array(arbitraryInstruction(), { minLength: 1, maxLength: 20 }), (body) => {
        const program = { ...tiny, body, sourceMap: body.map(() => tiny.sourceMap[0]) };
        expect(assemble(disassemble(program), "a.s").body).toEqual(body);
      }),
      { numRuns: 300 },
    );
  });

  it("gives back the hand-written program", () => {
    expectRoundTrip(tiny);
    // text -> program -> text: once printed, the text stays
    const text = disassemble(tiny);
    expect(disassemble(assemble(text, "b.s"))).toBe(text);
  });

  it.each<[string, Partial<Program>]>([
    ["constants at an address alone", { constants: new Uint8Array(0), constantsAddress: 4096 }],
    ["constants without tensors", { tensors: [], constants: Uint8Array.from({ length: 3000 }, (_, i) => i) }],
    ["zeros at both ends", { constants: new Uint8Array(5000), constantsAddress: 100 }],
    ["an empty body", { body: [], sourceMap: [] }],
    ["no tensors, semaphores or layers", { tensors: [], semaphores: [], layers: [], body: [], sourceMap: [] }],
  ])("keeps %s", (_, parts) => {
    expectRoundTrip({ ...tiny, ...parts });
  });

  it("keeps 3 MB of weights", () => {
    const constants = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 2654435761) >>> 13);
    const weights = { ...tiny.tensors[1], height: 3000, width: 10, channels: 100, address: 0 };
    expectRoundTrip({ ...tiny, constants, constantsAddress: 0, tensors: [weights] });
  });
});

describe("the hand-written program", () => {
  it("passes every check", () => {
    expect(() => checkProgram(tiny, "tiny.s")).not.toThrow();
  });

  it("gets what is not said by default", () => {
    expect(tiny.host).toEqual({
      input: {
        height: 8,
        width: 8,
        channels: 3,
        colorOrder: "RGB",
        mean: [128, 128, 128],
        scale: 1,
        tensor: "image",
        format: "i8",
        exponent: 0,
      },
      outputs: [{ tensor: "pool1", height: 4, width: 4, channels: 16, format: "i8", exponents: Array(16).fill(0) }],
      head: null,
      trained: false,
    });
    expect(tiny.provenance).toMatchObject({ source: "tiny.s", options: {} });
    expect(tiny.tensors.map(({ name, address }) => [name, address])).toEqual([
      ["image", 0],
      ["weights", 192],
      ["table", 640],
      ["conv1", 0],
      ["pool1", 704],
    ]);
    expect(tiny.dramBytes).toBe(960);
    expect(tiny.semaphores[0]).toEqual({
      producer: { kind: "load", tp: 0 },
      consumer: { kind: "mac", tp: 0 },
      gridY: 1,
      gridX: 256,
      offsetY: 0,
      offsetX: 0,
      initial: 0,
    });
    expect(tiny.machine).toEqual(loadPreset("rap-small"));
    expect(tiny.prologue).toEqual([]);
  });

  it("names lines in the messages of the check", () => {
    const text = programText("tiny", ["waits=pooled", ""]);
    const line = text.split("\n").findIndex((l) => l.includes("store src")) + 1;
    expect(line).toBeGreaterThan(30);
    expect(() => checkProgram(assemble(text, "tiny.s"), "tiny.s")).toThrow(
      "order: semaphore 5: 1 signals without a wait at the end of the frame",
    );
    const early = programText("tiny", ["y=0+:8 x=0+:8 c=0+:3\n", "y=0+:8 x=0+:8 c=0+:4\n"]);
    expect(() => checkProgram(assemble(early.replace("c=0+:3 address", "c=0+:2 address"), "tiny.s"), "tiny.s")).toThrow(
      /^tiny\.s: #5 load \(conv1, tile 0, line \d+\), agent 0: dst: box \[0:8, 0:8, 0:3\] of tensor 'image' is outside/,
    );
  });
});

/** The body of a text with two tensors, two semaphores, and one instruction. */
const body = (line: string) =>
  assemble(
    `.tensor in 8x8x3 i8 input\n.tensor "a b" 8x8x3 i8 output\n.semaphore s load -> mac\n.semaphore "t,u" load -> store\n${line}`,
    "x.s",
  ).body[0];

describe("instruction lines", () => {
  it.each<[string, Instruction]>([
    ["halt ; the end", instruction("halt", {}) as Instruction],
    [
      "view v3 tensor=in y=0+:8 x=-1+6*iy-2*ix+:4 c=iy+:3 address=0x100 rowPitch=24 pixelPitch=+3 # comment",
      instruction("view", {
        view: 3,
        y: { base: 0, stepA: 0, stepB: 0, extent: 8 },
        x: { base: -1, stepA: 6, stepB: -2, extent: 4 },
        c: { base: 0, stepA: 1, stepB: 0, extent: 3 },
        address: 256,
        rowPitch: 24,
        pixelPitch: 3,
      }),
    ],
    [
      'load signals=s,"t,u" c=0+:3 x=0+:8 y=0+:8 dst=v1 grid=4x4 multicast=row fill fillValue=-128',
      instruction("load", {
        dst: 1,
        y: { base: 0, stepA: 0, stepB: 0, extent: 8 },
        x: { base: 0, stepA: 0, stepB: 0, extent: 8 },
        c: { base: 0, stepA: 0, stepB: 0, extent: 3 },
        gridY: 4,
        gridX: 4,
        multicast: "row",
        fill: true,
        fillValue: -128,
        signals: [1, 2],
      }),
    ],
    [
      'pool src=v1 dst=v2 tensor="a b" y=0+:1 x=0+:1 c=0+:1 kernel=2x3 mode=average',
      instruction("pool", {
        src: 1,
        dst: 2,
        tensor: 1,
        y: { base: 0, stepA: 0, stepB: 0, extent: 1 },
        x: { base: 0, stepA: 0, stepB: 0, extent: 1 },
        c: { base: 0, stepA: 0, stepB: 0, extent: 1 },
        kernelY: 2,
        kernelX: 3,
        mode: "average",
      }),
    ],
    [
      "copy src=v0 dst=v1 y=0+:1 x=0+:1 c=0+:1 offset=-1,0",
      instruction("copy", {
        dst: 1,
        y: { base: 0, stepA: 0, stepB: 0, extent: 1 },
        x: { base: 0, stepA: 0, stepB: 0, extent: 1 },
        c: { base: 0, stepA: 0, stepB: 0, extent: 1 },
        offsetY: -1,
      }),
    ],
    [
      "scalar dst=r3 a=r1 b=r2 operation=maximum immediate=-5 waits=1",
      instruction("scalar", { dst: 3, a: 1, b: 2, operation: "maximum", immediate: -5, waits: [1] }),
    ],
    ["exponent dst=r1 histogram=h15 bits=7", instruction("exponent", { dst: 1, histogram: 15, bits: 7 })],
    [
      "sync after=all before=mac,load",
      instruction("sync", {
        after: ["load", "store", "link", "scalar", "mac", "shift", "pool", "range"],
        before: ["mac", "load"],
      }),
    ],
    ["fence unit=pool tp=3", instruction("fence", { unit: "pool", tp: 3 })],
  ])("%s", (line, expected) => {
    expect(body(line)).toEqual(expected);
  });
});

describe("directives", () => {
  it("say every part of a program", () => {
    const program = assemble(
      `
.name "my net"
.machine fast custom
.parameter agents 4
.parameter dram.bytesPerCycle 25.6
.dram 0x10000
.tensor in 4x4x1 u8 input at 128
.tensor mid 4x4x8 u8
.tensor out 2x2x8 i32 output at 4096
.semaphore up mac1 -> shift1 grid 2x2 offset -1,0 initial 2
.layer conv1 conv fused pool1 "re lu"
.persistent weights at 64 size 100
.prologue
  halt
.body
.tile conv1 7
  fence unit=load
.tile none
  halt
.data at 1000
  .bytes -1 255 0x10
  .fill 2
  .fill 2 -2
  .base64 AQID
.host
input: { height: 4, width: 4, channels: 1, colorOrder: RGB, mean: [0], scale: 1, tensor: in, format: u8, exponent: 0 }
outputs: # one
  - { tensor: out, height: 2, width: 2, channels: 8, format: i32, exponents: [1, 2, 3, 4, 5, 6, 7, 8] }
head: null
trained: true
.end
.provenance
{"rapsim": "1", "source": "me", "sourceSha256": "", "options": {"fast": true}}
.end
`,
      "x.s",
    );
    expect(program).toMatchObject({
      name: "my net",
      machine: { name: "fast", parameters: { agents: 4, "dram.bytesPerCycle": 25.6, "array.rows": 16 } },
      tensors: [{ address: 128 }, { role: "none", address: 0 }, { format: "i32", address: 4096 }],
      semaphores: [{ producer: { kind: "mac", tp: 1 }, gridY: 2, gridX: 2, offsetY: -1, offsetX: 0, initial: 2 }],
      layers: [{ name: "conv1", op: "conv", fused: ["pool1", "re lu"] }],
      persistent: [{ name: "weights", address: 64, bytes: 100 }],
      schedule: [],
      sourceMap: [
        { layer: 65535, tile: 0 },
        { layer: 0, tile: 7 },
        { layer: 65535, tile: 0 },
      ],
      sourceLines: [14, 17, 19],
      constantsAddress: 1000,
      constants: Uint8Array.from([255, 255, 16, 0, 0, 254, 254, 1, 2, 3]),
      dramBytes: 65536,
      host: { trained: true },
      provenance: { source: "me", options: { fast: true } },
    });
    expect(program.prologue.map(({ op }) => op)).toEqual(["halt"]);
    expect(program.body.map(({ op }) => op)).toEqual(["fence", "halt"]);
  });

  it("may stand behind their use", () => {
    const program = assemble(
      ".tile late\nload dst=v0 y=0+:1 x=0+:1 c=0+:1 signals=s\nhalt\n.semaphore s load -> mac\n.tensor t 1x1x1 i8 input\n.tensor o 1x1x1 i8 output\n.layer late conv",
      "dir/x.s",
    );
    expect(program.name).toBe("x");
    expect(program.body[0]).toMatchObject({ signals: [1] });
    expect(program.sourceMap[0]).toEqual({ layer: 0, tile: 0 });
  });

  it("put data of several tensors into one image", () => {
    const program = assemble(
      ".tensor i 1x1x1 i8 input\n.tensor o 1x1x1 i8 output\n.tensor b 1x1x2 i8 constant at 260\n.tensor a 1x1x2 i8 constant at 256\n" +
        ".data b\n.bytes 3 4\n.data a\n.bytes 1 2\nhalt",
      "x.s",
    );
    expect(program.constantsAddress).toBe(256);
    expect([...program.constants]).toEqual([1, 2, 0, 0, 3, 4]);
    // DRAM tensors without an address lie behind all that have one
    expect(program.tensors.map(({ address }) => address)).toEqual([320, 384, 260, 256]);
  });
});

const prefix = ".tensor in 8x8x3 i8 input\n.tensor out 8x8x3 i8 output\n.semaphore s load -> mac\n.layer conv1 conv\n";

describe("mistakes", () => {
  it.each<[string, string]>([
    // instructions
    ["conv src=v1 mode=x", "5:13: 'mode' is not a field of conv; known: src, weights, tensor, y, x, c, accRow, add,"],
    ["  pool src=v1 mode=min", "5:20: pool.mode: 'min' is not one of max, average, averageAll"],
    ["cnov src=v1", "5:1: 'cnov' is not an instruction; known: halt, view, load, store, conv,"],
    ["toString", "5:1: 'toString' is not an instruction; known"],
    ["pool src=v1 kernel=3", "5:20: pool.kernel: '3' is not of the form YxX, such as 3x3"],
    ["pool src=v1 kernel=3x256", "5:20: pool.kernel: 256 is not a whole number 0..255"],
    ["pool src=64", "5:10: pool.src: '64' is not a register vN"],
    ["pool src=v64", "5:10: pool.src: 64 is not a whole number 0..63"],
    ["pool src=r3", "5:10: pool.src: 'r3' is not a register vN"],
    ["pool src=v1 src=v2", "5:13: pool.src: given twice"],
    ["pool src", "5:6: pool.src: a value is missing; write src=vN"],
    ["load dst=v0 y=0+:8 x=0+:8", "5:1: load.c: is missing; write c=START+:EXTENT"],
    ["load y=0+:8 x=0+:8 c=0+:3", "5:1: load.dst: is missing; write dst=vN"],
    ["view tensor=in y=0+:8 x=0+:8 c=0+:3", "5:1: view.view: is missing; write view=vN"],
    ["view v0 v1", "5:9: view.view: given twice"],
    ["load dst=v0 y=0:8", "5:15: load.y: '0:8' is not of the form START+:EXTENT, such as 0+:8 or -1+6*iy+20*ix+:8"],
    ["load dst=v0 y=2iy+:8", "5:15: load.y: '2iy+:8' is not of the form START+:EXTENT"],
    ["load dst=v0 y=6*iz+:8", "5:15: load.y: '6*iz+:8' is not of the form START+:EXTENT"],
    ["load dst=v0 y=40000+:8", "5:15: load.y: base 40000 is not a whole number -32768..32767"],
    ["load dst=v0 y=0+:70000", "5:15: load.y: extent 70000 is not a whole number 0..65535"],
    ["load dst=v0 y=0+:0x", "5:18: load.y: '0x' is not a whole number"],
    ["load dst=v0 fill=yes", "5:18: load.fill: 'yes' is not true or false"],
    ["load dst=v0 fillValue=300", "5:23: load.fillValue: 300 is not a whole number -256..255"],
    ["load dst=v0 waits=s,x", "5:21: load.waits: semaphore 'x' is not declared; known: s"],
    ["load dst=v0 waits=0", "5:19: load.waits: 0 is not a whole number 1..255"],
    ["load dst=v0 waits=s,", "5:21: load.waits: '' is not a name"],
    ["load dst=v0 waits=1,1,1,1,1,1,1", "5:19: load.waits: 7 entries, at most 6 fit"],
    ["load dst=v0 grid=0x4", "5:18: load.grid: 0 is not a whole number 1..256"],
    ["pool src=v0 tensor=mid", "5:20: pool.tensor: tensor 'mid' is not declared; known: in, out"],
    [
      "pool src=v0 tensor=a=b",
      "5:20: pool.tensor: 'a=b' is not a name; a name with such characters stands in double quotes",
    ],
    ['pool src=v0 tensor="in', '5:20: pool.tensor: "in is not a name in double quotes'],
    ['pool src=v0 tensor="\\x"', '5:20: pool.tensor: "\\x" is not a name in double quotes; inside,'],
    ["sync after=loads", "5:12: sync.after: 'loads' is not one of load, store, link,"],
    ["fence unit=alu", "5:12: fence.unit: 'alu' is not one of load, store, link, scalar, mac, shift, pool, range"],
    ["copy offset=1x1", "5:13: copy.offset: '1x1' is not of the form Y,X, such as -1,0"],
    ["halt now", "5:6: 'now' is not a field of halt; known: grid, tp, waits, signals"],
    // directives
    [".tensr a", "5:1: '.tensr' is not a directive; known: .name, .machine, .parameter,"],
    [".tensor a", "5:9: the shape is missing; write .tensor NAME HEIGHTxWIDTHxCHANNELS FORMAT [ROLE] [at ADDRESS]"],
    [".tensor", "5:1: a name is missing; write .tensor NAME"],
    [".tensor a 8x8 i8", "5:11: '8x8' is not of the form HEIGHTxWIDTHxCHANNELS"],
    [".tensor a 8x8x3 i16", "5:17: 'i16' is not one of i8, u8, i32"],
    [".tensor a 8x8x3 i8 weights", "5:20: 'weights' is not one of input, output, intermediate, constant, none"],
    [".tensor a 8x8x3 i8 constant 5", "5:29: '5' is not 'at'"],
    [".tensor a 8x8x3 i8 constant at 5 6", "5:34: '6' is one word too many; write .tensor"],
    [".tensor a 0x8x3 i8", "5:1: .tensor: height: Too small: expected number to be >=1"],
    [".tensor a 8x8x3 i8 at 4294967296", "5:1: .tensor: address: Too big: expected number to be <=4294967295"],
    [".tensor a 65535x65535x3 i8 constant", "5:1: .tensor: no room is left in 4 GiB of DRAM for tensor 'a'"],
    [".semaphore t load mac", "5:19: '->' is missing between producer and consumer"],
    [
      ".semaphore t load -> alu",
      "5:22: 'alu' is not a unit; known: load, store, link, scalar, mac, shift, pool, range,",
    ],
    [".semaphore t load -> mac offset 1,0", "5:33: an offset needs the grid it is in, before it: grid 4x4 offset 0,1"],
    [".semaphore t load -> mac initial -1", "5:1: .semaphore: initial: Too small"],
    [".layer a", "5:8: an operator is missing; write .layer NAME OP [fused NAME ...]"],
    [".tile conv2 1\nhalt", "5:7: layer 'conv2' is not declared; known: conv1"],
    [".tile 3\nhalt", "5:7: layer 3 is not one of the program's 1"],
    [".tile conv1 70000", "5:13: 70000 is not a whole number 0..65535"],
    [".machine rap-x", "5:10: 'rap-x' is not a preset; presets: "],
    [".machine rap-e\n.machine rap-e", "6:1: .machine: given twice"],
    [".parameter speed 1", "5:12: speed is not a machine parameter; known: agents,"],
    [".parameter __proto__ 1", "5:12: __proto__ is not a machine parameter; known: agents,"],
    [".parameter agents 0", "5:19: agents = 0: must be a number 1..256"],
    [".parameter agents 4\n.parameter agents 4", "6:12: agents: given twice"],
    [
      ".parameter agents 256\n.machine m custom\n.parameter sram.bytes 67108864",
      "6:1: 256 agents with 67108864 B SRAM and their accumulators take",
    ],
    [".body\n.body", "6:1: .body: given twice"],
    ["halt\n.body", "6:1: .body: given twice, or behind instructions that are the body already"],
    [".bytes 1", "5:1: .bytes: no .data stands before it; write .data TENSOR or .data at ADDRESS"],
    [".data in\n.bytes 1", "5:7: tensor 'in' is of role input; only constants have data"],
    [".tensor w 1x1x4 i8 constant\n.data w\n.bytes 1 2 3", "6:7: 3 bytes of data for tensor 'w', which takes 4"],
    [".data 9", "5:7: tensor 9 is not one of the program's 2"],
    [".data at 0\n.bytes 1 2\n.data at 1\n.bytes 3", "7:1: .data: bytes 1..2 overlap those before, which end at 2"],
    [
      ".data at 0\n.bytes 1\n.data at 4000000000\n.bytes 1",
      "7:1: .data: the constants span 4000000001 B; at most 268435456 B",
    ],
    [".data at 0\n.bytes 256", "6:8: 256 is not a whole number -128..255"],
    [".data at 0\n.fill 99999999999", "6:7: 99999999999 is not a whole number 0..268435456"],
    [".data at 0\n.base64 AQI", "6:9: not base64"],
    [".data at 0\n.base64 A=ID", "6:9: not base64"],
    [".host", "5:1: .host: no line with .end follows"],
    [".host x\n.end", "5:7: 'x' is one word too many; the .host block begins on the next line"],
    ['.host\n{ "input": [ }\n.end', "6:14: .host: neither JSON nor YAML: "],
    [".host\n{}\n.end", "5:1: .host: input: Invalid input: expected object, received undefined"],
    [".provenance\nrapsim: 1\n.end", "5:1: .provenance: rapsim: Invalid input: expected string, received number"],
    [".end", "5:1: '.end' is not a directive"],
  ])("%j", (line, message) => {
    let thrown: unknown;
    try {
      assemble(prefix + line, "x.s");
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(RapError);
    expect((thrown as RapError).message).toContain(`x.s:${message}`);
  });

  it.each<[string, string]>([
    [".tensor o 1x1x1 i8 output", "the program has 0 tensors of role input, not one"],
    [".tensor i 1x1x1 i8 input", "the program has no tensor of role output"],
    [".tensor i 1x1x4 i8 input\n.tensor o 1x1x1 i8 output", "input 'i' has 4 channels, a picture 1 or 3"],
    [".tensor i 1x1x1 i32 input\n.tensor o 1x1x1 i8 output", "input 'i' has the format i32, a picture i8 or u8"],
  ])("no host section can be derived from %j", (text, message) => {
    expect(() => assemble(text, "x.s")).toThrow(
      new RapError(`x.s: .host is missing and cannot be derived: ${message}; write a .host block`),
    );
  });

  it("names only some of many known names, and several things of one name by number", () => {
    const many = Array.from({ length: 40 }, (_, i) => `.tensor t${i} 1x1x1 i8 ${i === 0 ? "input" : "output"}`).join(
      "\n",
    );
    expect(() => assemble(`${many}\nview v0 tensor=x`, "x.s")).toThrow(/known: t0, t1, .*, t15 and 24 more$/);
    expect(() => assemble(`${many}\n.tensor t3 2x2x2 i8\nview v0 tensor=t3`, "x.s")).toThrow(
      "several tensors are named 't3'; write the number",
    );
  });

  it("of any kind give a program or one RapError", () => {
    const text = programText("tiny");
    const printed = disassemble(tiny);
    const pieces = fc.oneof(
      fc.string({ maxLength: 4 }),
      fc.string({ unit: "binary", maxLength: 3 }),
      fc.constantFrom(
        '"',
        "\\",
        "=",
        ".",
        "\n",
        " ",
        "+:",
        "*iy",
        "0x",
        "-",
        ",",
        ".end",
        ".host\n",
        "\n.body\n",
        "999999999999",
        "e9",
      ),
      // whole words from elsewhere in the text
      fc.constantFrom(...new Set(printed.split(/\s+/))).map((word) => ` ${word} `),
    );
    const edit = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), drop: fc.nat(12), put: pieces });
    let programs = 0;
    fc.assert(
      fc.property(fc.constantFrom(text, printed), fc.array(edit, { minLength: 1, maxLength: 4 }), (before, edits) => {
        let after = before;
        for (const { at, drop, put } of edits) {
          const start = Math.floor(at * after.length);
          after = after.slice(0, start) + put + after.slice(start + drop);
        }
        try {
          const program = assemble(after, "x.s");
          encodeProgram(program);
          programs++;
          checkProgram(program, "x.s");
        } catch (error) {
          expect(error).toBeInstanceOf(RapError);
          expect((error as RapError).message).toMatch(/^x\.s(:\d+:\d+)?: /);
        }
      }),
      { numRuns: 1000 },
    );
    expect(programs).toBeGreaterThan(10);
  });
});
