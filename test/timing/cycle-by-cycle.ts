/**
 * The machine's rules written down plainly, cycle after cycle: everything that can happen happens, until nothing more does;
 * then DRAM takes requests; then every unit says what it does until something changes. Nothing is remembered that can be
 * looked up, and only what an instruction costs by itself is shared with the simulator.
 */
import {
  type CheckedProgram,
  effects,
  INSTRUCTION_BYTES,
  type Instruction,
  type InstructionOf,
  multicastGroup,
  region,
  UNIT_KINDS,
  type UnitKind,
  unitKindOf,
} from "../../isa/index.ts";
import type { StallCause } from "../../sim/result.ts";
import { cost } from "../../sim/timing/costs.ts";
import { appendRequests, RequestList, requestPageBytes } from "../../sim/timing/requests.ts";
import { measure } from "../../sim/timing/work.ts";

const ceil = (time: number) => Math.ceil(time - 1e-6);

/** One instruction of one agent in one segment (prologue or frame). */
interface Item {
  readonly segment: number;
  readonly index: number;
  start: number;
  /** Infinity: not known yet. */
  end: number;
}

interface Unit {
  readonly agent: number;
  readonly kind: UnitKind;
  readonly tp: number;
  readonly queue: Item[];
  readonly inFlight: Item[];
  enterAt: number;
  latestEnd: number;
  left: number;
  busyCycles: number;
  readonly stalls: { [C in StallCause]?: number };
}

interface Transfer {
  readonly items: readonly Item[];
  readonly units: readonly Unit[];
  readonly isLoad: boolean;
  readonly requests: readonly {
    readonly address: number;
    readonly runs: number;
    readonly requested: number;
    readonly rounded: number;
  }[];
  readonly port: number;
  readonly fan: number;
  arrivals: number;
  lastArrival: number;
  readonly ends: number[];
  moved: number;
}

/** A request on its way to DRAM or waiting there. */
interface Request {
  readonly port: number;
  readonly arrival: number;
  readonly address: number;
  readonly bytes: number;
  readonly write: boolean;
  readonly onServed: (start: number, end: number) => void;
}

interface Barrier {
  readonly segment: number;
  readonly index: number;
  readonly sync: InstructionOf<"sync">;
  readonly issuedBy: Set<number>;
  releaseAt: number;
}

interface Agent {
  segment: number;
  pc: number;
  blocksDone: number;
  /** End of decoding; null: waits for code, or has halted. */
  decodedAt: number | null;
  halted: boolean;
}

export interface CycleResult {
  readonly cycles: number;
  readonly items: string[];
  readonly units: readonly Unit[];
  readonly dramBusy: number;
}

export function simulateByCycle(checked: CheckedProgram, frames: number, overlapFrames: boolean): CycleResult {
  const { program, bound } = checked;
  const p = program.machine.parameters;
  const agentsCount = p.agents;
  const prologueLength = program.prologue.length;
  const hasPrologue = prologueLength > 0;
  const segments = frames + (hasPrologue ? 1 : 0);
  const isPrologue = (segment: number) => hasPrologue && segment === 0;
  const rangeOf = (segment: number) => (isPrologue(segment) ? [0, prologueLength] : [prologueLength, bound.length]);
  const instructionOf = (index: number): Instruction => bound[index].instruction;
  const isBefore = (a: { segment: number; index: number }, b: { segment: number; index: number }) =>
    a.segment < b.segment || (a.segment === b.segment && a.index < b.index);

  // --- units
  const perTp: readonly UnitKind[] = ["mac", "shift", "pool", "range"];
  const units: Unit[] = [];
  for (let agent = 0; agent < agentsCount; agent++) {
    const places = UNIT_KINDS.filter((kind) => !perTp.includes(kind)).map((kind) => ({ kind, tp: 0 }));
    for (let tp = 0; tp < p["agent.tensorProcessors"]; tp++) for (const kind of perTp) places.push({ kind, tp });
    for (const { kind, tp } of places) {
      let left = 0;
      bound.forEach(({ instruction }, i) => {
        if (unitKindOf(instruction) !== kind || (perTp.includes(kind) && instruction.tp !== tp)) return;
        left += i < prologueLength ? 1 : frames;
      });
      const idle = { queue: [], inFlight: [], enterAt: 0, latestEnd: 0, busyCycles: 0, stalls: {} };
      units.push({ agent, kind, tp, left, ...idle });
    }
  }
  const unitOf = (agent: number, instruction: Instruction): Unit | null => {
    const kind = unitKindOf(instruction);
    if (kind === null) return null;
    return units.find(
      (u) => u.agent === agent && u.kind === kind && (!perTp.includes(kind) || u.tp === instruction.tp),
    )!;
  };

  // --- semaphores
  const given = program.semaphores.map(() => new Array<number>(agentsCount).fill(0));
  const neighbour = (s: number, agent: number, sign: number): number | null => {
    const { gridY, gridX, offsetY, offsetX } = program.semaphores[s];
    if (agent >= gridY * gridX) return null;
    const y = Math.floor(agent / gridX) + sign * offsetY;
    const x = (agent % gridX) + sign * offsetX;
    if (y < 0 || y >= gridY || x < 0 || x >= gridX || y * gridX + x >= agentsCount) return null;
    return y * gridX + x;
  };

  // --- DRAM: one channel; ports are load engines, store engines, fetch
  const requests: Request[] = [];
  const bank = Array.from({ length: p["dram.banks"] }, () => ({ row: -1, closable: 0 }));
  const had = new Map<number, number>();
  let turn = 2 * agentsCount;
  let bytesSinceBreak = 0;
  let breakAt = 0;
  let dramFree = 0;
  let dramBusy = 0;
  let dramBusyUntil = 0;
  let wroteLast = false;
  let lastOpened = -1e9;
  let refreshed = 0;
  let refreshes = 0;
  const lead = p["dram.prechargeCycles"] + p["dram.activateCycles"];
  const credit = (port: number) => had.get(port) ?? 0;
  /** The oldest request of the port whose turn it is, of those that have arrived. */
  const choose = (now: number): Request | null => {
    const waiting = requests.filter(({ arrival }) => arrival <= now);
    const oldest = (port: number) => waiting.find((request) => request.port === port);
    if (waiting.length === 0) return null;
    // the bus has come to rest: turns begin anew
    if (dramFree <= now && waiting.every(({ arrival }) => arrival === now)) {
      had.clear();
      turn = 2 * agentsCount;
    }
    const fetch = oldest(2 * agentsCount);
    if (fetch !== undefined) return fetch;
    const here = oldest(turn);
    if (here !== undefined && credit(turn) > 0) return here;
    if (here === undefined) had.set(turn, Math.min(0, credit(turn)));
    for (;;) {
      turn = (turn + 1) % (2 * agentsCount + 1);
      const request = oldest(turn);
      if (request === undefined) continue;
      had.set(turn, credit(turn) + p["dram.quantumBytes"]);
      if (credit(turn) > 0) return request;
    }
  };
  const serve = ({ address, bytes, write, onServed }: Request, now: number) => {
    const free = ceil(dramFree);
    const interval = p["dram.refreshIntervalCycles"];
    // every refresh that is due is done as soon as the bus is free, whether anybody asks for data or not
    while (p["dram.refreshCycles"] > 0 && (refreshes + 1) * interval <= Math.max(now, free, refreshed)) {
      refreshes++;
      refreshed = Math.max(refreshes * interval, free, refreshed) + p["dram.refreshCycles"];
      for (const one of bank) one.row = -1;
    }
    const row = Math.floor(address / p["dram.rowBytes"]);
    const its = bank[row % bank.length];
    let ready = Math.max(now, refreshed);
    if (its.row !== row) {
      if (its.row >= 0) ready = Math.max(ready, its.closable) + p["dram.prechargeCycles"];
      ready = Math.max(ready, lastOpened + p["dram.activateSpacingCycles"]);
      lastOpened = ready;
      its.row = row;
      its.closable = ready + p["dram.rowOpenCycles"];
      ready += p["dram.activateCycles"];
    }
    if (write !== wroteLast) {
      ready = Math.max(ready, free + p[write ? "dram.readToWriteCycles" : "dram.writeToReadCycles"]);
    }
    wroteLast = write;
    if (ready > free || now > dramFree) {
      breakAt = Math.max(ready, free);
      bytesSinceBreak = 0;
    }
    const start = breakAt + bytesSinceBreak / p["dram.bytesPerCycle"];
    bytesSinceBreak += bytes;
    dramFree = breakAt + bytesSinceBreak / p["dram.bytesPerCycle"];
    its.closable = Math.max(its.closable, ceil(dramFree) + (write ? p["dram.writeRecoveryCycles"] : 0));
    dramBusy += Math.max(0, ceil(dramFree) - Math.max(dramBusyUntil, Math.floor(start + 1e-6)));
    dramBusyUntil = ceil(dramFree);
    onServed(start, dramFree);
  };
  const decideAt = () => Math.floor(dramFree + 1e-6) - lead;
  const pageBytes = requestPageBytes(p);

  // --- front end
  const perBlock = p["issue.fetchInstructions"];
  const blocksIn = (segment: number) => Math.ceil((rangeOf(segment)[1] - rangeOf(segment)[0]) / perBlock);
  const courseEnd = (segment: number) => (overlapFrames && !isPrologue(segment) ? segments - 1 : segment);
  let blockBase = 0;
  let courseFirst = 0;
  let requested = 0;
  /** When blocks are in the buffer; Infinity: not known yet. */
  const arrivals: number[] = [];
  const agents: Agent[] = Array.from({ length: agentsCount }, () => ({
    segment: 0,
    pc: rangeOf(0)[0],
    blocksDone: 0,
    decodedAt: null,
    halted: false,
  }));
  const aligned = (address: number) => Math.ceil(address / 4096) * 4096;
  const fetchBlock = (block: number, now: number) => {
    let segment = courseFirst;
    let at = block - blockBase;
    while (at >= blocksIn(segment)) at -= blocksIn(segment++);
    const [from, to] = rangeOf(segment);
    const first = at * perBlock * INSTRUCTION_BYTES;
    const end = Math.min(first + perBlock * INSTRUCTION_BYTES, (to - from) * INSTRUCTION_BYTES);
    const prologueCode = aligned(program.dramBytes);
    const code = isPrologue(segment) ? prologueCode : aligned(prologueCode + prologueLength * INSTRUCTION_BYTES);
    const list = new RequestList();
    const burst = p["dram.burstBytes"];
    appendRequests(list, region(code + first, 1, 0, 1, 0, end - first), p["dma.requestBytes"], burst, pageBytes);
    let left = list.length;
    arrivals[block] = Number.POSITIVE_INFINITY;
    for (let i = 0; i < list.length; i++) {
      const onServed = (_: number, served: number) => {
        if (--left === 0) arrivals[block] = ceil(served + p["dram.latencyCycles"]);
      };
      const [address, bytes] = [list.addresses[i], list.rounded[i]];
      requests.push({ port: 2 * agentsCount, arrival: now, address, bytes, write: false, onServed });
    }
  };
  const blockLimit = () => {
    let limit = blockBase;
    for (let segment = courseFirst; segment <= courseEnd(courseFirst); segment++) limit += blocksIn(segment);
    return limit;
  };

  const barriers: Barrier[] = [];
  const items: string[] = [];
  const ended = new Array<number>(segments).fill(0);
  const inSegment = (segment: number) => {
    const [from, to] = rangeOf(segment);
    return (
      agentsCount * (bound.slice(from, to).filter(({ instruction }) => unitKindOf(instruction) !== null).length + 1)
    );
  };

  const tryIssue = (a: number, now: number): boolean => {
    const agent = agents[a];
    if (agent.halted) return false;
    if (agent.decodedAt === null) {
      const arrival = arrivals[agent.blocksDone];
      if (arrival === undefined || arrival > now) return false;
      agent.decodedAt = now + p["issue.cyclesPerInstruction"];
      return true;
    }
    if (agent.decodedAt > now) return false;
    const instruction = instructionOf(agent.pc);
    const here = { segment: agent.segment, index: agent.pc };
    const unit = unitOf(a, instruction);
    if (unit !== null) {
      if (unit.queue.length + unit.inFlight.length >= p["issue.queueDepth"]) return false;
      unit.queue.push({ ...here, start: -1, end: Number.POSITIVE_INFINITY });
    }
    if (instruction.op === "sync") {
      const known = barriers.find(({ segment, index }) => segment === here.segment && index === here.index);
      if (known !== undefined) known.issuedBy.add(a);
      else barriers.push({ ...here, sync: instruction, issuedBy: new Set([a]), releaseAt: Number.POSITIVE_INFINITY });
    }
    const [from, to] = rangeOf(agent.segment);
    agent.pc++;
    if ((agent.pc - from) % perBlock === 0 || agent.pc === to) agent.blocksDone++;
    agent.decodedAt = null;
    if (instruction.op === "halt") {
      ended[agent.segment]++;
      if (agent.segment === courseEnd(agent.segment)) agent.halted = true;
      else {
        agent.segment++;
        agent.pc = rangeOf(agent.segment)[0];
      }
    }
    return true;
  };

  const hasGiven = (s: number, agent: number) => neighbour(s, agent, -1) === null || given[s][agent] > 0;

  /** Why the head of the queue does not start by itself, or null. */
  const obstacle = (unit: Unit, now: number): StallCause | null => {
    if (unit.left === 0) return "finished";
    if (unit.queue.length === 0) return "notIssued";
    const head = unit.queue[0];
    const held = barriers.some((b) => isBefore(b, head) && b.releaseAt > now && b.sync.before.includes(unit.kind));
    if (held) return "sync";
    const missing = instructionOf(head.index)
      .waits.filter((id) => !hasGiven(id - 1, unit.agent))
      .map((id) => UNIT_KINDS.indexOf(program.semaphores[id - 1].producer.kind));
    if (missing.length === 0) return null;
    const kind = UNIT_KINDS[Math.min(...missing)];
    return `wait${kind[0].toUpperCase()}${kind.slice(1)}` as StallCause;
  };

  const groupOf = (unit: Unit, index: number): Unit[] => {
    const instruction = instructionOf(index);
    if (instruction.op === "reduce") return units.filter(({ kind }) => kind === "scalar");
    if (instruction.op !== "load" || measure(program, bound[index], unit.agent).idle) return [unit];
    return multicastGroup(instruction, unit.agent).map((agent) => unitOf(agent, instruction)!);
  };

  const tryStart = (unit: Unit, now: number): boolean => {
    if (unit.enterAt > now || unit.queue.length === 0) return false;
    const { index } = unit.queue[0];
    const group = groupOf(unit, index);
    const ready = (u: Unit) => u.enterAt <= now && u.queue[0]?.index === index && obstacle(u, now) === null;
    if (!group.every(ready)) return false;
    const started = group.map((u) => {
      const item = u.queue.shift()!;
      item.start = now;
      u.inFlight.push(item);
      u.left--;
      for (const id of instructionOf(index).waits)
        if (neighbour(id - 1, u.agent, -1) !== null) given[id - 1][u.agent]--;
      return item;
    });
    const shares = group.map((u) => measure(program, bound[index], u.agent));
    const { op } = instructionOf(index);
    if (shares[0].region !== null) {
      const list = new RequestList();
      const access = effects(program, bound[index], unit.agent).find(({ space }) => space === "dram")!;
      appendRequests(list, access.region, p["dma.requestBytes"], p["dram.burstBytes"], pageBytes);
      const own = Array.from({ length: list.length }, (_, i) => ({
        address: list.addresses[i],
        runs: list.runs[i],
        requested: list.requested[i],
        rounded: list.rounded[i],
      }));
      const isLoad = op === "load";
      const fill = Math.max(...shares.map(({ fillBytes }) => fillBytes));
      const setUp = now + p["dma.setupCycles"];
      const transfer: Transfer = {
        items: started,
        units: group,
        isLoad,
        requests: own,
        port: isLoad ? unit.agent : agentsCount + unit.agent,
        fan: group.length > 1 ? p["dma.multicastCycles"] : 0,
        arrivals: 0,
        lastArrival: 0,
        ends: [],
        moved: setUp + (isLoad ? fill / dmaRate : 0),
      };
      for (let i = 0; i < Math.min(own.length, p["dma.outstanding"]); i++) submit(transfer, setUp);
      for (const u of group) u.enterAt = Number.POSITIVE_INFINITY;
      return true;
    }
    group.forEach((u, k) => {
      const { occupancy, tail } = cost(instructionOf(index), shares[k], p);
      u.enterAt = now + occupancy;
      started[k].end = Math.max(u.enterAt + tail, u.latestEnd);
      u.latestEnd = started[k].end;
    });
    return true;
  };
  const dmaRate = Math.min(p["dma.bytesPerCycle"], p["sram.banks"] * p["sram.bankBytesPerCycle"]);

  const tryEnd = (unit: Unit, now: number): boolean => {
    const item = unit.inFlight[0];
    if (item === undefined || item.end > now) return false;
    unit.inFlight.shift();
    // a transfer is the last in flight
    if (unit.enterAt === Number.POSITIVE_INFINITY && unit.inFlight.length === 0) unit.enterAt = now;
    ended[item.segment]++;
    items.push(`#${item.index} agent ${unit.agent}: ${item.start}..${item.end}`);
    for (const id of instructionOf(item.index).signals) {
      const target = neighbour(id - 1, unit.agent, 1);
      if (target !== null) given[id - 1][target]++;
    }
    return true;
  };

  const tryRelease = (barrier: Barrier, now: number): boolean => {
    if (barrier.releaseAt < Number.POSITIVE_INFINITY || barrier.issuedBy.size < agentsCount) return false;
    const open = units.some(
      (u) => barrier.sync.after.includes(u.kind) && [...u.queue, ...u.inFlight].some((item) => isBefore(item, barrier)),
    );
    if (open) return false;
    barrier.releaseAt = now + p["sync.latencyCycles"];
    return true;
  };

  /** The transfer's next request, for which there is room from a time on. */
  const submit = (transfer: Transfer, room: number) => {
    const { requests: own, isLoad, port } = transfer;
    const at = transfer.arrivals++;
    const { address, requested, rounded } = own[at];
    if (!isLoad) transfer.moved = Math.max(transfer.moved, room) + movingCycles(own[at]);
    let arrival = ceil(isLoad ? room : transfer.moved);
    if (at > 0) arrival = Math.max(arrival, transfer.lastArrival + Math.max(1, own[at - 1].runs * p["dma.runCycles"]));
    transfer.lastArrival = arrival;
    const onServed = (start: number, end: number) => {
      const latency = p["dram.latencyCycles"];
      if (isLoad) {
        const came = Math.max(transfer.moved, start + latency) + movingCycles({ requested, runs: own[at].runs });
        transfer.moved = Math.max(end + latency, came);
      }
      transfer.ends.push(isLoad ? transfer.moved : end);
      if (transfer.arrivals < own.length) submit(transfer, transfer.ends[at]);
      if (at + 1 < own.length) return;
      for (const item of transfer.items) item.end = ceil(transfer.ends[at]) + transfer.fan;
      for (const u of transfer.units) u.latestEnd = transfer.items[0].end;
    };
    requests.push({ port, arrival, address, bytes: rounded, write: !isLoad, onServed });
  };
  const movingCycles = ({ requested, runs }: { requested: number; runs: number }) =>
    Math.max(requested / dmaRate, runs * p["dma.runCycles"]);

  const beginFrames = () => {
    program.semaphores.forEach(({ initial }, s) => {
      given[s].fill(initial);
    });
  };
  if (!hasPrologue) beginFrames();

  for (let now = 0; ; ) {
    for (let progress = true; progress; ) {
      progress = false;
      for (const unit of units) progress = tryEnd(unit, now) || progress;
      for (const barrier of barriers) progress = tryRelease(barrier, now) || progress;
      for (let a = 0; a < agentsCount; a++) progress = tryIssue(a, now) || progress;
      for (const unit of units) progress = tryStart(unit, now) || progress;
      const courseDone = ended[courseEnd(courseFirst)] === inSegment(courseEnd(courseFirst));
      if (courseDone && agents.every(({ halted }) => halted)) {
        const next = courseEnd(courseFirst) + 1;
        if (next === segments) return { cycles: now, items: items.sort(), units, dramBusy };
        blockBase = blockLimit();
        courseFirst = next;
        if (isPrologue(next - 1)) beginFrames();
        for (const agent of agents) Object.assign(agent, { segment: next, pc: rangeOf(next)[0], halted: false });
        progress = true;
      }
    }
    const wanted = Math.min(
      blockLimit(),
      Math.min(...agents.map(({ blocksDone }) => blocksDone)) + p["issue.fetchBuffers"],
    );
    for (; requested < wanted; requested++) fetchBlock(requested, now);
    while (decideAt() <= now) {
      const request = choose(now);
      if (request === null) break;
      requests.splice(requests.indexOf(request), 1);
      had.set(request.port, credit(request.port) - request.bytes);
      serve(request, now);
    }
    // nothing changes before the next of these times: all cycles until then are alike
    let next = Number.POSITIVE_INFINITY;
    const wake = (time: number | null | undefined) => {
      if (time !== null && time !== undefined && time > now) next = Math.min(next, time);
    };
    for (const { inFlight, enterAt } of units) {
      wake(enterAt);
      wake(inFlight[0]?.end);
    }
    for (const { arrival } of requests) wake(Math.max(arrival, decideAt()));
    for (const { releaseAt } of barriers) wake(releaseAt);
    for (const { decodedAt, blocksDone } of agents) {
      wake(decodedAt);
      wake(arrivals[blocksDone]);
    }
    if (next === Number.POSITIVE_INFINITY) throw new Error(`stands still at ${now}`);
    for (const unit of units) {
      if (unit.inFlight.length > 0) unit.busyCycles += next - now;
      else {
        const cause = obstacle(unit, now) ?? "group";
        unit.stalls[cause] = (unit.stalls[cause] ?? 0) + next - now;
      }
    }
    now = next;
  }
}
