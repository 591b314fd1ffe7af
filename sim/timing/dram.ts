/** DRAM as the rest of the simulation sees it: requests go in, each comes back with the time its data take on the bus. */

/** Fractions of a cycle this small are rounding errors of the division by a bandwidth. */
const ROUNDING = 1e-6;

/** The first whole cycle not before a time. */
export function wholeCycle(time: number): number {
  return Math.ceil(time - ROUNDING);
}

/** The last whole cycle not after a time. */
export function pastCycle(time: number): number {
  return Math.floor(time + ROUNDING);
}

/** Who asks DRAM for data: the load engine of every agent, the store engine of every agent, instruction fetch. */
export class Ports {
  readonly fetch: number;
  readonly count: number;

  constructor(private readonly agents: number) {
    this.fetch = 2 * agents;
    this.count = 2 * agents + 1;
  }

  load(agent: number): number {
    return agent;
  }

  store(agent: number): number {
    return this.agents + agent;
  }

  isStore(port: number): boolean {
    return port >= this.agents && port < this.fetch;
  }
}

/** What DRAM asks of the event loop. */
export interface DramHost {
  /** Wants `wake(token)` called at a whole cycle, after everything else of that cycle, lower tokens first. */
  wakeDram(time: number, token: number): void;
  /** Goes on to a cycle, if nothing else happens before its end; otherwise the answer is false, and nothing has changed. */
  skipTo(time: number): boolean;
  /** A request's data pass the bus from start to end; fractions of cycles. Called once per request, not after its end. */
  dramServed(port: number, slot: number, start: number, end: number): void;
}

/** What a channel's data bus did: idle cycles beyond these had no request waiting. */
export interface DramUsage {
  readonly busyCycles: number;
  readonly rowCycles: number;
  readonly turnaroundCycles: number;
  readonly refreshCycles: number;
  /** When its last request so far has left the bus. */
  readonly lastEnd: number;
}

export interface DramModel {
  /** One for each channel. */
  readonly usage: readonly DramUsage[];
  /**
   * A port's next request; it arrives at a whole cycle, not before now and not before the port's requests so far.
   * @param slot names the request until it is served
   * @param bytes whole bursts from `address` on, or spread over the page that they lie in
   */
  submit(port: number, slot: number, arrival: number, address: number, bytes: number, write: boolean): void;
  wake(token: number, now: number): void;
}
