/** How tensors that stay in SRAM between phases are shared out: every agent's part covers the same part of the picture. */
import type { Network } from "./operators.ts";
import type { Span, Tile } from "./phase.ts";

/** An agent's part of every tensor for a grid: parts of tensors with other strides cover the same part of the picture. */
export class Parts {
  private readonly tiles = new Map<string, Tile | null>();

  constructor(network: Network, gridY: number, gridX: number) {
    const strides = new Map<string, readonly [number, number] | null>();
    for (const { inputs, output, window } of network.operators) {
      for (const { root } of inputs) {
        const from = strides.has(root) ? strides.get(root)! : ([1, 1] as const);
        strides.set(root, from);
        const { height, width } = network.roots.get(output.root)!;
        // a window over everything ends what can be shared out
        const spatial = from !== null && height >= gridY && width >= gridX;
        strides.set(output.root, spatial ? [from[0] * window.stride[0], from[1] * window.stride[1]] : null);
      }
    }
    let coarsest: readonly [number, number] = [1, 1];
    for (const stride of strides.values())
      if (stride !== null) coarsest = [Math.max(coarsest[0], stride[0]), Math.max(coarsest[1], stride[1])];
    let [height, width] = [1, 1];
    for (const [name, stride] of strides) {
      if (stride === null) continue;
      const root = network.roots.get(name)!;
      height = Math.max(height, Math.ceil((root.height * stride[0]) / (coarsest[0] * gridY)));
      width = Math.max(width, Math.ceil((root.width * stride[1]) / (coarsest[1] * gridX)));
    }
    for (const [name, stride] of strides) {
      const tile =
        stride === null || coarsest[0] % stride[0] !== 0 || coarsest[1] % stride[1] !== 0
          ? null
          : { height: (height * coarsest[0]) / stride[0], width: (width * coarsest[1]) / stride[1] };
      this.tiles.set(name, tile);
    }
  }

  of(root: string): Tile | null {
    return this.tiles.get(root) ?? null;
  }
}

/** How far needed rows or columns reach beyond a part; 0 where no agent lies beyond. */
export function margins(span: Span, size: number, agents: number): { before: number; after: number } {
  if (agents === 1) return { before: 0, after: 0 };
  return { before: Math.max(0, -span.lo), after: Math.max(0, span.hi - size) };
}
