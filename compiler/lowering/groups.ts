/**
 * Fusion and placement: which operators become one group of tiles, and where every tensor lies. Concatenation is free:
 * its parts are written side by side; a pooling behind a convolution (or behind a concatenation of convolutions) is
 * done on the convolution's tiles.
 */
import type { QAdd, QConcat, QConv, QNode, QPool, QTensor, QuantizedModel } from "../quantized-model.ts";

/** Where a tensor lies: channels `offset`.. of the DRAM tensor `root`. */
export interface Placement {
  readonly root: string;
  readonly offset: number;
}

export type Group =
  | { readonly kind: "conv"; readonly conv: QConv; readonly pool: QPool | null; readonly output: string }
  | { readonly kind: "pool"; readonly pool: QPool; readonly output: string }
  | { readonly kind: "add"; readonly add: QAdd; readonly output: string }
  /** A concatenation's part that could not be written in place. */
  | { readonly kind: "copy"; readonly name: string; readonly input: string; readonly output: Placement };
export type ConvGroup = Extract<Group, { kind: "conv" }>;

export interface GroupedModel {
  readonly groups: readonly Group[];
  /** Where each tensor that is read or written through DRAM lies. */
  readonly placements: ReadonlyMap<string, Placement>;
}

class Uses {
  private readonly users = new Map<string, QNode[]>();
  readonly producer = new Map<string, QNode>();
  private readonly outputs: Set<string>;

  constructor(model: QuantizedModel) {
    for (const node of model.nodes) {
      this.producer.set(node.output, node);
      for (const input of node.inputs) this.users.set(input, [...(this.users.get(input) ?? []), node]);
    }
    this.outputs = new Set(model.host.outputs.map(({ tensor }) => tensor));
  }

  of(tensor: string): readonly QNode[] {
    return this.users.get(tensor) ?? [];
  }

  isOutput(tensor: string): boolean {
    return this.outputs.has(tensor);
  }

  /** The tensor's one user, or null when there are several or the network gives it out. */
  onlyUser(tensor: string): QNode | null {
    const users = this.of(tensor);
    return users.length === 1 && !this.isOutput(tensor) ? users[0] : null;
  }
}

/** A pooling that can be done on the tiles of the convolutions before it: the only reader, and one that reads all of it. */
function poolBehind(tensor: QTensor, uses: Uses): QPool | null {
  const user = uses.onlyUser(tensor.name);
  return user?.op === "pool" && readsAll(user, tensor) ? user : null;
}

function readsAll({ kernel, stride, pads }: QPool, { height, width }: QTensor): boolean {
  const reach = (size: number, k: number, s: number, before: number, after: number) =>
    s <= k && Math.floor((size + before + after - k) / s) * s + k - before >= size;
  return reach(height, kernel[0], stride[0], pads[0], pads[2]) && reach(width, kernel[1], stride[1], pads[1], pads[3]);
}

/** Parts of a concatenation that only convolutions make and only it reads: pooling may then go in front of it. */
function allConvs(concat: QConcat, uses: Uses): boolean {
  return (
    new Set(concat.inputs).size === concat.inputs.length &&
    concat.inputs.every((part) => uses.producer.get(part)?.op === "conv" && uses.onlyUser(part) === concat)
  );
}

/** Whether a concatenation's part can be written straight to its place. */
function canBePlaced(part: string, concat: QConcat, uses: Uses): boolean {
  const users = uses.of(part);
  return (
    uses.producer.has(part) &&
    !uses.isOutput(part) &&
    concat.inputs.filter((input) => input === part).length === 1 &&
    users.filter(({ op }) => op === "concat").length === 1 &&
    // the addition unit reads both operands at the same channels
    users.every(({ op }) => op !== "add")
  );
}

/** @param fusePooling do pooling on the tiles of the convolutions before it */
export function groupModel(model: QuantizedModel, fusePooling: boolean): GroupedModel {
  const uses = new Uses(model);
  const tensors = new Map<string, QTensor>(model.tensors.map((tensor) => [tensor.name, tensor]));
  const placements = new Map<string, Placement>();
  const fused = new Set<QNode>();
  const copies = new Map<QConcat, Group[]>();

  /** Tensor a convolution's group writes, and the pooling in it. */
  const fusion = new Map<QConv, { pool: QPool; output: string }>();
  for (const node of fusePooling ? model.nodes : []) {
    if (node.op === "conv") {
      const pool = poolBehind(tensors.get(node.output)!, uses);
      if (pool !== null) {
        fusion.set(node, { pool, output: pool.output });
        fused.add(pool);
      }
    } else if (node.op === "concat" && allConvs(node, uses)) {
      const pool = poolBehind(tensors.get(node.output)!, uses);
      if (pool === null) continue;
      for (const part of node.inputs) {
        const conv = uses.producer.get(part) as QConv;
        // the convolution's own output never exists; its pooled form takes its name
        fusion.set(conv, { pool, output: part });
      }
      placeParts(node, pool.output);
      fused.add(pool);
      fused.add(node);
    }
  }

  function placeParts(concat: QConcat, root: string): void {
    let offset = 0;
    for (const part of concat.inputs) {
      placements.set(part, { root, offset });
      offset += tensors.get(part)!.channels;
    }
  }

  for (const node of model.nodes) {
    if (node.op !== "concat" || fused.has(node)) continue;
    let offset = 0;
    for (const part of node.inputs) {
      if (canBePlaced(part, node, uses)) placements.set(part, { root: node.output, offset });
      else {
        const copy: Group = { kind: "copy", name: node.name, input: part, output: { root: node.output, offset } };
        copies.set(node, [...(copies.get(node) ?? []), copy]);
      }
      offset += tensors.get(part)!.channels;
    }
  }

  const groups: Group[] = [];
  for (const node of model.nodes) {
    if (node.op === "concat") groups.push(...(copies.get(node) ?? []));
    else if (node.op === "conv") {
      const { pool, output } = fusion.get(node) ?? { pool: null, output: node.output };
      groups.push({ kind: "conv", conv: node, pool, output });
    } else if (fused.has(node)) continue;
    else if (node.op === "pool") groups.push({ kind: "pool", pool: node, output: node.output });
    else groups.push({ kind: "add", add: node, output: node.output });
  }
  return { groups, placements: resolve(placements, model) };
}

/** Follows parts of parts: every tensor's place in the tensor that is really there. */
function resolve(direct: ReadonlyMap<string, Placement>, model: QuantizedModel): Map<string, Placement> {
  const place = (name: string): Placement => {
    const step = direct.get(name);
    if (step === undefined) return { root: name, offset: 0 };
    const rest = place(step.root);
    return { root: rest.root, offset: rest.offset + step.offset };
  };
  return new Map(model.tensors.map(({ name }) => [name, place(name)]));
}
