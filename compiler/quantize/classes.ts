/** Sets of tensors that must share something: an exponent, a format. */
import type { SimpleGraph, SimpleNode } from "../passes/index.ts";

/** Disjoint sets of names; each is known by one of its members. */
export class Classes {
  private readonly parent = new Map<string, string>();

  of(name: string): string {
    let root = name;
    for (let next = this.parent.get(root); next !== undefined; next = this.parent.get(root)) root = next;
    if (root !== name) this.parent.set(name, root);
    return root;
  }

  join(a: string, b: string): void {
    const [rootA, rootB] = [this.of(a), this.of(b)];
    if (rootA !== rootB) this.parent.set(rootB, rootA);
  }

  /** The given names by class. */
  members(names: Iterable<string>): Map<string, string[]> {
    const result = new Map<string, string[]>();
    for (const name of names) {
      const members = result.get(this.of(name));
      if (members === undefined) result.set(this.of(name), [name]);
      else members.push(name);
    }
    return result;
  }
}

/** Tensors whose integers pass unchanged from one to the other: through pools and concatenations. */
export function exponentClasses(graph: SimpleGraph): Classes {
  return joinAll(graph, (node) => node.op === "pool" || node.op === "concat");
}

/** As for exponents; an addition also takes one format for both its inputs. */
export function formatClasses(graph: SimpleGraph): Classes {
  const classes = joinAll(graph, (node) => node.op === "pool" || node.op === "concat");
  for (const node of graph.nodes) if (node.op === "add") classes.join(node.inputs[0], node.inputs[1]);
  return classes;
}

function joinAll(graph: SimpleGraph, joins: (node: SimpleNode) => boolean): Classes {
  const classes = new Classes();
  for (const node of graph.nodes) if (joins(node)) for (const input of node.inputs) classes.join(input, node.output);
  return classes;
}
