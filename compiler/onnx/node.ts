/** One ONNX node while it is read: typed attributes and inputs, and a place for messages. */
import { RapError } from "../../isa/index.ts";
import type { FNode, FTensor } from "../graph.ts";
import { ATTRIBUTE_TYPE, type AttributeProto, type NodeProto } from "./schema.ts";
import { type OnnxConstant, readConstant } from "./tensor.ts";

/** What a name stands for: a constant, or a tensor of rank 4 ([1, C, H, W]) or 2 ([1, N]). */
export type OnnxValue =
  | { readonly kind: "constant"; readonly constant: OnnxConstant }
  | { readonly kind: "tensor"; readonly rank: 2 | 4 };

type WithoutName<T> = T extends FNode ? Omit<T, "name" | "output"> : never;

/** What an operator's row gives: a node (its name and output are filled in) and its result's rank, or a constant. */
export type Imported =
  | { readonly node: WithoutName<FNode>; readonly rank: 2 | 4 }
  | Extract<OnnxValue, { kind: "constant" }>;

/** Where a node stands: the file, and what was read before it. */
interface Surroundings {
  readonly path: string;
  readonly opset: number;
  readonly values: ReadonlyMap<string, OnnxValue>;
  readonly tensors: ReadonlyMap<string, FTensor>;
}

export class NodeReader {
  readonly place: string;
  readonly domain: string;
  readonly output: string;
  private readonly attributes: Map<string, AttributeProto>;
  private readonly unread: Set<string>;
  private readonly proto: NodeProto;
  readonly opset: number;
  private readonly values: ReadonlyMap<string, OnnxValue>;
  private readonly tensors: ReadonlyMap<string, FTensor>;

  constructor(proto: NodeProto, index: number, { path, opset, values, tensors }: Surroundings) {
    this.proto = proto;
    this.opset = opset;
    this.values = values;
    this.tensors = tensors;
    this.place = `${path}: node ${proto.name || proto.output[0] || index} (${proto.opType})`;
    this.domain = proto.domain === "ai.onnx" ? "" : proto.domain;
    this.output = proto.output[0] ?? "";
    this.attributes = new Map(proto.attribute.map((attribute) => [attribute.name, attribute]));
    this.unread = new Set(this.attributes.keys());
  }

  fail(message: string): never {
    throw new RapError(`${this.place}: ${message}`);
  }

  /** Runs `body`; a RapError of it gets this node's place instead of its own. */
  explain<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      if (error instanceof RapError) this.fail(error.message.replace(/^[^:]*: /, ""));
      throw error;
    }
  }

  /** Refuses attributes that no one asked for, and outputs beyond the first. */
  finish(): void {
    if (this.output === "") this.fail("the node has no output");
    for (const name of this.unread)
      this.fail(
        `attribute '${name}' is not supported; known: ${[...this.attributes.keys()].filter((key) => !this.unread.has(key)).join(", ") || "none"}`,
      );
    if (this.proto.output.slice(1).some((name) => name !== "" && this.proto.opType !== "Dropout"))
      this.fail("only the first output is supported");
  }

  /** Marks attributes that change nothing at inference. */
  ignore(...names: string[]): void {
    for (const name of names) this.unread.delete(name);
  }

  private attribute(name: string, type: keyof typeof ATTRIBUTE_TYPE): AttributeProto | undefined {
    const attribute = this.attributes.get(name);
    this.unread.delete(name);
    // writers before IR version 2 leave the type out
    if (attribute !== undefined && attribute.type !== 0 && attribute.type !== ATTRIBUTE_TYPE[type]) {
      this.fail(`attribute '${name}' has type ${attribute.type}; ${type} (${ATTRIBUTE_TYPE[type]}) is needed`);
    }
    return attribute;
  }

  has(name: string): boolean {
    return this.attributes.has(name);
  }

  int(name: string, standard: number): number {
    return this.attribute(name, "INT")?.i ?? standard;
  }

  float(name: string, standard: number): number {
    return this.attribute(name, "FLOAT")?.f ?? standard;
  }

  text(name: string, standard: string): string {
    const attribute = this.attribute(name, "STRING");
    return attribute === undefined ? standard : new TextDecoder().decode(attribute.s);
  }

  /** Integers; exactly as many as `standard` has. */
  ints<T extends readonly number[]>(name: string, standard: T): T {
    const attribute = this.attribute(name, "INTS");
    if (attribute === undefined) return standard;
    if (attribute.ints.length !== standard.length)
      this.fail(
        `attribute '${name}' is [${attribute.ints}]; ${standard.length} values are needed (two-dimensional images only)`,
      );
    return attribute.ints as unknown as T;
  }

  floats(name: string): readonly number[] {
    return this.attribute(name, "FLOATS")?.floats ?? [];
  }

  constantAttribute(name: string): OnnxConstant {
    const tensor = this.attribute(name, "TENSOR")?.t ?? this.fail(`attribute '${name}' is missing`);
    return readConstant(tensor, this.place);
  }

  /** Refuses an attribute with another value than the one supported. */
  expectInt(name: string, value: number, standard = value): void {
    const given = this.int(name, standard);
    if (given !== value) this.fail(`${name} = ${given}; only ${value} is supported`);
  }

  get inputCount(): number {
    return this.proto.input.length;
  }

  get inputNames(): readonly string[] {
    return this.proto.input;
  }

  private value(index: number, what: string): OnnxValue {
    const name = this.proto.input[index] || this.fail(`input ${index} (${what}) is missing`);
    return this.values.get(name) ?? this.fail(`input '${name}' (${what}) is not computed by an earlier node`);
  }

  isConstant(index: number): boolean {
    return this.value(index, "value").kind === "constant";
  }

  /** An activation: a tensor computed at run time. */
  tensor(index = 0): FTensor & { readonly rank: 2 | 4 } {
    const value = this.value(index, "a tensor");
    const name = this.proto.input[index];
    if (value.kind !== "tensor")
      return this.fail(`input '${name}' is a constant; only tensors computed from the image are supported here`);
    return { ...this.tensors.get(name)!, rank: value.rank };
  }

  image(index = 0): FTensor {
    const tensor = this.tensor(index);
    if (tensor.rank !== 4) this.fail(`input '${tensor.name}' is a vector; an image [1, C, H, W] is needed`);
    return tensor;
  }

  /** A float constant; undefined where an optional input is left out. */
  optionalConstant(index: number, what: string): OnnxConstant | undefined {
    return this.proto.input[index] ? this.constant(index, what) : undefined;
  }

  constant(index: number, what: string): OnnxConstant {
    const value = this.value(index, what);
    if (value.kind !== "constant")
      return this.fail(`input '${this.proto.input[index]}' (${what}) must be a constant stored in the file`);
    return value.constant;
  }

  /** A constant with one float per channel. */
  vector(index: number, what: string, length: number): Float32Array {
    const constant = this.constant(index, what);
    const { values } = constant;
    if (!(values instanceof Float32Array)) return this.fail(`${what} is int64; float32 is needed`);
    if (values.length !== length || constant.dims.at(-1) !== length)
      this.fail(`${what} has extents [${constant.dims}]; [${length}] is needed`);
    return values;
  }

  scalar(constant: OnnxConstant, what: string): number {
    if (constant.values.length !== 1) this.fail(`${what} has ${constant.values.length} values; one is needed`);
    return constant.values[0];
  }
}
