/** Semaphores of all agents: signals there are to take. */
import type { Semaphore } from "../../isa/index.ts";

export class Semaphores {
  /** Signals given and not yet taken, [semaphore][agent]. */
  readonly counts: Int32Array;
  /** 1 where a wait is void: its producer would lie outside the semaphore's grid. [semaphore][agent] */
  readonly free: Uint8Array;
  /** Agent that a signal of this agent reaches, or -1. [semaphore][agent] */
  readonly targets: Int32Array;

  constructor(
    private readonly semaphores: readonly Semaphore[],
    private readonly agents: number,
  ) {
    const size = semaphores.length * agents;
    this.counts = new Int32Array(size);
    this.free = new Uint8Array(size).fill(1);
    this.targets = new Int32Array(size).fill(-1);
    semaphores.forEach(({ gridY, gridX, offsetY, offsetX }, s) => {
      for (let agent = 0; agent < Math.min(agents, gridY * gridX); agent++) {
        const iy = Math.floor(agent / gridX) + offsetY;
        const ix = (agent % gridX) + offsetX;
        const target = iy * gridX + ix;
        if (iy < 0 || iy >= gridY || ix < 0 || ix >= gridX || target >= agents) continue;
        this.targets[s * agents + agent] = target;
        this.free[s * agents + target] = 0;
      }
    });
  }

  /** Before a frame: every semaphore at its initial value, where a frame that has ended leaves it, too. */
  reset(): void {
    this.semaphores.forEach(({ initial }, s) => {
      this.counts.fill(initial, s * this.agents, (s + 1) * this.agents);
    });
  }
}
