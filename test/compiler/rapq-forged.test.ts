// A .rapq file whose checksums are right, but whose graph or host section contradicts itself: is each rule named?
import { expect, test } from "vitest";
import { buildNetwork } from "../../compiler/builders.ts";
import { quantize } from "../../compiler/quantize.ts";
import { decodeRapq, encodeRapq, RAPQ_KIND } from "../../compiler/rapq.ts";
import { packContainer, RapError, unpackContainer } from "../../isa/index.ts";

const file = encodeRapq(quantize(buildNetwork("tiny")));

// biome-ignore lint/suspicious/noExplicitAny: a parsed JSON file, changed in ways its type forbids
type Json = any;

/** The file with another JSON section, or other integers, and correct checksums. */
function forge(change: (graph: Json) => unknown, integers = (bytes: Uint8Array) => bytes): Uint8Array {
  const sections = unpackContainer(RAPQ_KIND, file, "x.rapq");
  const graph = JSON.parse(Buffer.from(sections.get("GRPH")!).toString());
  change(graph);
  return packContainer(RAPQ_KIND, { GRPH: Buffer.from(JSON.stringify(graph)), WGHT: integers(sections.get("WGHT")!) });
}
const node = (graph: Json, name: string) => graph.nodes.find((candidate: Json) => candidate.name === name);
const tensor = (graph: Json, name: string) => graph.tensors.find((candidate: Json) => candidate.name === name);
const unchanged = () => {};

test.each<[string, Uint8Array, string]>([
  [
    "JSON that is none",
    packContainer(RAPQ_KIND, { GRPH: Buffer.from("{"), WGHT: new Uint8Array(0) }),
    "x.rapq: section GRPH",
  ],
  ["a huge extent", forge((g) => (tensor(g, "conv1").channels = 1e9)), "section GRPH: tensors.1.channels"],
  ["a tensor twice", forge((g) => g.tensors.push(g.tensors[1])), "tensor 'conv1': stands twice"],
  ["an unknown input", forge((g) => (node(g, "pool1").inputs = ["z"])), "'pool1': reads 'z', which nothing before it"],
  [
    "a later input",
    forge((g) => (node(g, "pool1").inputs = ["add3"])),
    "'pool1': reads 'add3', which nothing before it",
  ],
  ["a tensor written twice", forge((g) => (node(g, "add3").output = "conv1")), "'add3': writes 'conv1' a second time"],
  [
    "another stride",
    forge((g) => (node(g, "pool1").stride = [1, 1])),
    "'pool1': gives 15 x 15, but its tensor is 8 x 8",
  ],
  ["a larger kernel", forge((g) => (node(g, "classifier").kernel = [5, 4])), "section WGHT: 16568 bytes end within"],
  ["a byte too few", forge(unchanged, (bytes) => bytes.subarray(0, -1)), "section WGHT: 16567 bytes end within"],
  ["a byte too many", forge(unchanged, (bytes) => Buffer.concat([bytes, Buffer.of(0)])), "1 bytes more than the graph"],
  [
    "parts of a concat with two exponents",
    forge((g) => (tensor(g, "fire2_expand1x1").exponent += 1)),
    "'fire2': input and result differ in format or exponent",
  ],
  ["a clamp too wide", forge((g) => (node(g, "conv1").high = 128)), "'conv1': clamp 0..128 does not fit format i8"],
  ["operands too far apart", forge((g) => (tensor(g, "conv3").exponent = 60)), "'add3': operands' exponents"],
  ["int32 that is read", forge((g) => (tensor(g, "conv3").format = "i32")), "'add3': reads int32 values"],
  ["another input shape", forge((g) => (g.host.input.height = 31)), "host.input: shape or format differs from tensor"],
  ["too few exponents", forge((g) => g.host.outputs[0].exponents.pop()), "9 exponents for 10 channels"],
  ["the input as output", forge((g) => (g.host.outputs[0].tensor = "image")), "host.outputs 'image': nothing makes it"],
  ["a head elsewhere", forge((g) => (g.host.head.tensor = "conv1")), "'conv1' is not an output"],
  [
    "too few labels",
    forge((g) => g.host.head.classes.pop()),
    "host: head.classes: 9 names; 'classifier' has 10 channels",
  ],
])("%s", (_, bytes, message) => {
  expect(() => decodeRapq(bytes, "x.rapq")).toThrow(RapError);
  expect(() => decodeRapq(bytes, "x.rapq")).toThrow(message);
});

test("the order of keys does not change the bytes", () => {
  const model = quantize(buildNetwork("tiny"));
  const turned = Object.fromEntries(Object.entries(model).reverse()) as unknown as typeof model;
  expect(Buffer.compare(encodeRapq(turned), file)).toBe(0);
});
