/**
 * DRAM burst by burst: each burst takes the bus when it is free and its row open, each row opens and closes by commands that are
 * given when the timing rules allow, and a refresh comes between two bursts. Slow and plain; one channel. It fits where sim/timing
 * takes a DRAM, and shares no code with it.
 */
interface Settings {
  readonly bytesPerCycle: number;
  readonly burstBytes: number;
  readonly banks: number;
  readonly rowBytes: number;
  readonly tRCD: number;
  readonly tRP: number;
  readonly tRAS: number;
  readonly tRRD: number;
  readonly writeRecovery: number;
  readonly readToWrite: number;
  readonly writeToRead: number;
  readonly tREFI: number;
  /** 0: no refresh. */
  readonly tRFC: number;
  readonly quantumBytes: number;
  readonly ports: number;
  /** The port that goes first. */
  readonly urgentPort: number;
}

interface Host {
  wakeDram(time: number, token: number): void;
  dramServed(port: number, slot: number, start: number, end: number): void;
}

interface Waiting {
  readonly port: number;
  readonly slot: number;
  readonly arrival: number;
  readonly row: number;
  readonly write: boolean;
  bytesLeft: number;
  start: number;
}

interface Bank {
  row: number | null;
  /** When the open row takes column commands; when it may close. */
  readyAt: number;
  closableAt: number;
}

export class BurstDram {
  readonly usage: {
    busyCycles: number;
    rowCycles: number;
    turnaroundCycles: number;
    refreshCycles: number;
    lastEnd: number;
  }[];
  /** Bursts moved, and rows opened. */
  bursts = 0;
  activations = 0;
  private readonly queues: Waiting[][];
  private readonly banks: Bank[];
  private readonly credits: number[];
  private turn = 0;
  /** The request in service, and those chosen to follow it. */
  private readonly chosen: Waiting[] = [];
  /** When the bus may carry the next burst, and when it has carried the last. */
  private busFree = 0;
  private lastEnd = 0;
  private wroteLast = false;
  private lastActivation = -1e9;
  private nextRefresh: number;
  private wakeAt = Number.POSITIVE_INFINITY;

  constructor(
    private readonly s: Settings,
    private readonly host: Host,
  ) {
    this.usage = [{ busyCycles: 0, rowCycles: 0, turnaroundCycles: 0, refreshCycles: 0, lastEnd: 0 }];
    this.queues = Array.from({ length: s.ports }, () => []);
    this.credits = this.queues.map(() => 0);
    this.banks = Array.from({ length: s.banks }, () => ({ row: null, readyAt: 0, closableAt: 0 }));
    this.nextRefresh = s.tRFC > 0 ? s.tREFI : Number.POSITIVE_INFINITY;
  }

  submit(port: number, slot: number, arrival: number, address: number, bytes: number, write: boolean): void {
    const row = Math.floor(address / this.s.rowBytes);
    this.queues[port].push({ port, slot, arrival, row, write, bytesLeft: bytes, start: -1 });
    this.host.wakeDram(arrival, 0);
  }

  wake(_token: number, now: number): void {
    if (now >= this.wakeAt) this.wakeAt = Number.POSITIVE_INFINITY;
    while (this.nextRefresh <= now && this.busFree <= now) this.refresh();
    const lead = this.s.tRP + this.s.tRCD;
    // a request is chosen when its row must begin to open
    while (this.chosenUntil(now) - lead <= now) {
      const request = this.choose(now);
      if (request === null) break;
      this.chosen.push(request);
    }
    if (this.chosenUntil(now) - lead > now) this.wakeLater(this.chosenUntil(now) - lead);
    const [current] = this.chosen;
    if (current === undefined) return;
    this.chosen.forEach((request, k) => {
      this.open(request, now, this.chosen.slice(0, k));
    });
    if (this.busFree >= now + 1) {
      this.wakeLater(Math.floor(this.busFree));
      return;
    }
    if (this.banks[current.row % this.banks.length].row !== current.row) return;
    this.burst(current, now);
    this.wakeLater(Math.floor(this.busFree));
  }

  /** When the bus is through with all chosen requests, at the earliest. */
  private chosenUntil(now: number): number {
    if (this.chosen.length === 0) return Math.floor(this.busFree);
    const bytes = this.chosen.reduce((sum, { bytesLeft }) => sum + bytesLeft, 0);
    return Math.floor(Math.max(now, this.busFree) + bytes / this.s.bytesPerCycle);
  }

  private wakeLater(time: number): void {
    if (time >= this.wakeAt) return;
    this.wakeAt = time;
    this.host.wakeDram(time, 0);
  }

  private refresh(): void {
    const end = Math.max(this.nextRefresh, Math.ceil(this.busFree)) + this.s.tRFC;
    for (const bank of this.banks) {
      bank.row = null;
      bank.closableAt = end;
      bank.readyAt = end;
    }
    this.busFree = Math.max(this.busFree, end);
    this.nextRefresh += this.s.tREFI;
  }

  /** Takes the next request out of its queue: the urgent port's, or that of the port whose turn it is; null: nobody waits. */
  private choose(now: number): Waiting | null {
    const { urgentPort, ports, quantumBytes } = this.s;
    const waits = (port: number) => this.queues[port].length > 0 && this.queues[port][0].arrival <= now;
    if (waits(urgentPort)) return this.queues[urgentPort].shift()!;
    const waiting = Array.from({ length: ports }, (_, port) => port).filter(waits);
    if (waiting.length === 0) return null;
    if (!waits(this.turn)) this.credits[this.turn] = Math.min(0, this.credits[this.turn]);
    while (!waits(this.turn) || this.credits[this.turn] <= 0) {
      this.turn = (this.turn + 1) % ports;
      if (waits(this.turn)) this.credits[this.turn] += quantumBytes;
    }
    const request = this.queues[this.turn].shift()!;
    this.credits[this.turn] -= request.bytesLeft;
    return request;
  }

  /** Opens a request's row when that is possible now; not in the bank that an earlier request uses. */
  private open({ row }: Waiting, now: number, earlier: readonly Waiting[]): void {
    const { banks, s } = this;
    const bank = banks[row % banks.length];
    if (bank.row === row || earlier.some((other) => other.row % banks.length === row % banks.length)) return;
    const closing = bank.row === null ? 0 : s.tRP;
    const possible = Math.max(
      bank.row === null ? bank.readyAt : bank.closableAt,
      this.lastActivation + s.tRRD - closing,
    );
    if (possible > now) {
      this.wakeLater(Math.ceil(possible));
      return;
    }
    this.lastActivation = now + closing;
    this.activations++;
    bank.row = row;
    bank.readyAt = now + closing + s.tRCD;
    bank.closableAt = now + closing + s.tRAS;
  }

  private burst(request: Waiting, now: number): void {
    const { s } = this;
    const bank = this.banks[request.row % this.banks.length];
    let start = Math.max(now, this.busFree, bank.readyAt);
    if (request.write !== this.wroteLast) {
      start = Math.max(start, this.lastEnd + (request.write ? s.readToWrite : s.writeToRead));
    }
    this.wroteLast = request.write;
    const end = start + s.burstBytes / s.bytesPerCycle;
    if (request.start < 0) request.start = start;
    this.busFree = end;
    this.lastEnd = end;
    this.bursts++;
    bank.closableAt = Math.max(bank.closableAt, end + (request.write ? s.writeRecovery : 0));
    request.bytesLeft -= s.burstBytes;
    this.usage[0].busyCycles = Math.round((this.bursts * s.burstBytes) / s.bytesPerCycle);
    this.usage[0].lastEnd = Math.ceil(end);
    if (request.bytesLeft > 0) return;
    this.chosen.shift();
    this.host.dramServed(request.port, request.slot, request.start, end);
  }
}
