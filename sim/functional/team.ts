/**
 * Threads that run one program together: each owns some agents and holds their steps; all work on one memory. They stay
 * until they are told to end, and sleep between frames.
 */
import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { type CheckedProgram, RapError } from "../../isa/index.ts";

/** What the leader has the others do. */
export const COMMANDS = { prologue: 0, body: 1, end: 2 } as const;

/** Words of the shared control block. */
const READY = 0;
const SCRATCH_END = 1;
const FAILED = 2;
const COMMAND = 3;
const WHAT = 4;
const ARRIVED = 5;
const CONTROL_WORDS = 6;

/** Addresses reach 2^32, a control word does not: scratch begins at multiples of a cache line. */
const SCRATCH_UNIT = 64;

/** Looks this often before it sleeps: threads meet within microseconds of each other. */
const SPINS = 2000;

/** Beside the compiled module, or where the build writes it when the sources themselves run: threads run no TypeScript. */
const PLACES = ["./agents-worker.js", "../../dist/sim/functional/agents-worker.js"];

/** In FAILED: what went wrong in a thread. */
const FAILURE = { none: 0, work: 1, loading: 2 } as const;

/** Loads a thread's module. One that cannot be loaded could not say so: whoever waits for its thread is told from here. */
const LOADER = `
const { workerData } = require("node:worker_threads");
const { url, control, threads } = workerData;
import(url).then(({ serve }) => serve(workerData), () => {
  Atomics.store(control, ${FAILED}, ${FAILURE.loading});
  Atomics.add(control, ${READY}, threads);
  Atomics.notify(control, ${READY});
});`;

/** What a thread is told when it starts. */
export interface MemberData {
  /** Of the thread's module. */
  readonly url: string;
  readonly checked: CheckedProgram;
  readonly plan: Uint8Array;
  readonly memory: WebAssembly.Memory;
  readonly index: number;
  readonly threads: number;
  readonly control: Int32Array;
}

/** One thread of a team; thread 0 leads. */
export class Member {
  /** Arrivals when all have come to the next meeting. Counts up, and on through the sign: a reset would race. */
  private target = 0;
  private seen = 0;

  constructor(
    readonly index: number,
    readonly threads: number,
    private readonly control: Int32Array,
  ) {}

  /** Waits until a word is no longer what it was. */
  private await(word: number, value: number): void {
    for (let spin = 0; spin < SPINS; spin++) if (Atomics.load(this.control, word) !== value) return;
    while (Atomics.load(this.control, word) === value) Atomics.wait(this.control, word, value);
  }

  /** Returns when all threads have called it as often. */
  meet(): void {
    const { control } = this;
    this.target = (this.target + this.threads) | 0;
    let arrived = (Atomics.add(control, ARRIVED, 1) + 1) | 0;
    if (arrived === this.target) Atomics.notify(control, ARRIVED);
    while (((arrived - this.target) | 0) < 0) {
      this.await(ARRIVED, arrived);
      arrived = Atomics.load(control, ARRIVED);
    }
    if (this.hasFailed) throw new Error("a thread of functional execution failed");
  }

  /** The leader has all others run a stream, or end. */
  command(what: number): void {
    Atomics.store(this.control, WHAT, what);
    Atomics.add(this.control, COMMAND, 1);
    Atomics.notify(this.control, COMMAND);
  }

  /** Another thread waits for its next command, and returns it. */
  nextCommand(): number {
    this.await(COMMAND, this.seen);
    this.seen = (this.seen + 1) | 0;
    return Atomics.load(this.control, WHAT);
  }

  /**
   * Waits until so many threads are ready, or one has failed. Returns where their scratch ends: threads place it one behind the
   * other.
   */
  awaitReady(threads: number): number {
    for (let ready = 0; ready < threads && !this.hasFailed; ready = Atomics.load(this.control, READY)) {
      this.await(READY, ready);
    }
    return Atomics.load(this.control, SCRATCH_END) * SCRATCH_UNIT;
  }

  /** The leader waits until all are ready. @throws RapError when one cannot be */
  awaitTeam(program: string): void {
    this.awaitReady(this.threads);
    const failure = Atomics.load(this.control, FAILED);
    if (failure === FAILURE.none) return;
    const what = `program '${program}': one of ${this.threads} threads could not start`;
    throw new RapError(
      failure === FAILURE.loading
        ? `${what}: agents-worker.js cannot be loaded; install rapsim again, or take one thread`
        : `${what}; give fewer`,
    );
  }

  /** The thread has its steps; its scratch ends here. */
  ready(scratchEnd: number): void {
    Atomics.store(this.control, SCRATCH_END, Math.ceil(scratchEnd / SCRATCH_UNIT));
    Atomics.store(this.control, READY, this.index + 1);
    Atomics.notify(this.control, READY);
  }

  /** The thread can do no more; whoever waits for it is told. */
  fail(): void {
    Atomics.store(this.control, FAILED, FAILURE.work);
    for (const word of [READY, ARRIVED]) {
      // more than anybody waits for
      Atomics.add(this.control, word, this.threads);
      Atomics.notify(this.control, word);
    }
  }

  get hasFailed(): boolean {
    return Atomics.load(this.control, FAILED) !== FAILURE.none;
  }
}

export function createControl(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * Int32Array.BYTES_PER_ELEMENT));
}

function moduleUrl(): string {
  const found = PLACES.map((place) => new URL(place, import.meta.url)).find((place) => existsSync(place));
  if (found === undefined)
    throw new RapError("threads of functional execution: not built; build them with `npm run build`");
  return found.href;
}

/** Starts the other threads; they prepare when the leader calls `ready`. */
export function startTeam(
  checked: CheckedProgram,
  plan: Uint8Array,
  memory: WebAssembly.Memory,
  threads: number,
  url = moduleUrl(),
): Member {
  const control = createControl();
  // constants lie in the shared memory already
  const { program, bound } = checked;
  const lean = { program: { ...program, constants: new Uint8Array(0) }, bound };
  for (let index = 1; index < threads; index++) {
    const workerData: MemberData = { url, checked: lean, plan, memory, index, threads, control };
    new Worker(LOADER, { workerData, eval: true }).unref();
  }
  return new Member(0, threads, control);
}
