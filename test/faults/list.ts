/** Faults to plant into sim/timing, one at a time: a text that occurs once in a file, and what takes its place. */
export interface Fault {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const of =
  (file: string) =>
  (from: string, to: string): Fault => ({ file, from, to });

const channel = of("dram-channel.ts");
const arbiter = of("arbiter.ts");
const controller = of("memory-controller.ts");
const transfers = of("transfers.ts");
const requests = of("requests.ts");
const fetch = of("fetch.ts");
const sram = of("sram.ts");
const costs = of("costs.ts");
const issue = of("issue.ts");
const engine = of("engine.ts");
const work = of("work.ts");
const barriers = of("barriers.ts");
const semaphores = of("semaphores.ts");

export const FAULTS: readonly Fault[] = [
  channel('p["dram.bytesPerCycle"] / p["dram.channels"]', 'p["dram.bytesPerCycle"]'),
  channel("this.lead = this.precharge + this.activate", "this.lead = this.precharge"),
  channel("this.lead = this.precharge + this.activate", "this.lead = this.activate"),
  channel("if (asked >= this.refreshDue)", "if (asked > this.refreshDue)"),
  channel("if (asked >= this.refreshDue)", "if (now >= this.refreshDue)"),
  channel("Math.max(now, this.refreshEnd));\n    let", "now);\n    let"),
  channel("write ? this.readToWrite : this.writeToRead", "write ? this.writeToRead : this.readToWrite"),
  channel("if (write !== this.lastWrite)", "if (write)"),
  channel("this.lastWrite = write;", ""),
  channel("const start = Math.max(ready, turned)", "const start = Math.max(ready, busy)"),
  channel("|| now > this.end", ""),
  channel("this.busyBefore = this.busyCycles;", ""),
  channel("this.periodBytes = 0;\n    }", "}"),
  channel("(write ? this.writeRecovery : 0)", "this.writeRecovery"),
  channel("(write ? this.writeRecovery : 0)", "0"),
  channel("Math.max(this.prechargeAt[bank], closable)", "this.prechargeAt[bank]"),
  channel("Math.max(this.prechargeAt[bank], closable)", "closable"),
  channel("if (openRows[bank] === row) return from;", ""),
  channel("openRows[bank] === CLOSED ? from : ", ""),
  channel("+ this.precharge;\n", ";\n"),
  channel("Math.max(closed, this.lastActivate + this.activateSpacing)", "closed"),
  channel("prechargeAt[bank] = activate + this.rowOpen", "prechargeAt[bank] = activate"),
  channel("return activate + this.activate;", "return activate;"),
  channel("openRows[bank] = row;", ""),
  channel("this.openRows.fill(CLOSED);", ""),
  channel("this.refreshDue += interval;\n", "this.refreshDue += 2 * interval;\n"),
  channel("this.refreshEnd) + duration", "this.refreshEnd) + duration + 1"),
  channel("Math.max(this.refreshDue, busy, this.refreshEnd)", "Math.max(busy, this.refreshEnd)"),
  channel("this.refreshCycles += refreshed - asked", "this.refreshCycles += 0"),
  channel("this.turnaroundCycles += turnedAt - refreshed", "this.turnaroundCycles += 0"),
  channel("this.rowCycles += start - turnedAt", "this.rowCycles += 0"),

  arbiter("if (this.isReady(this.fetchPort)) return this.fetchPort;", ""),
  arbiter("this.credits[port] -= bytes", "this.credits[port] -= 64"),
  arbiter("credits[this.current] += this.quantumBytes", "credits[this.current] = this.quantumBytes"),
  arbiter("this.current = this.fetchPort;\n    this.credits.fill(0);", ""),
  arbiter("(port & 31) === 31 ? 0 : ready[word] & (-1 << ((port & 31) + 1))", "ready[word]"),
  arbiter("while (credits[this.current] <= 0)", "while (credits[this.current] < 0)"),

  controller("Math.floor(address / this.interleave)", "Math.floor(address / this.rowBytes)"),
  controller("Math.floor(local / this.rowBytes)", "Math.floor(address / this.rowBytes)"),
  controller("Math.floor(local / this.rowBytes)", "Math.floor(local / 1024)"),
  controller("this.writes[slot] = write ? 1 : 0", "this.writes[slot] = 0"),
  controller("|| this.arrivals[next] > now", ""),
  controller("const time = bus.decisionTime", "const time = bus.lastEnd"),
  controller("arbiter.waiting === 0 && end <= now", "arbiter.waiting === 0"),

  transfers("const ready = now + this.setup", "const ready = now"),
  transfers("+ this.transfers.fillBytes[transfer] / rate", ""),
  transfers("Math.min(this.end[engine], this.begin[engine] + this.outstanding)", "this.begin[engine] + 1"),
  transfers("Math.max(1, this.runCycles * requests.runs[request - 1])", "1"),
  transfers("Math.max(1, this.runCycles * requests.runs[request - 1])", "this.runCycles * requests.runs[request - 1]"),
  transfers("requests.runs[request - 1]", "requests.runs[request]"),
  transfers("Math.max(this.movedAt[engine], room) + this", "room + this"),
  transfers("(requested[request] * retries) / this.rates", "requested[request] / this.rates"),
  transfers(", this.runCycles * runs[request])", ", 0)"),
  transfers("this.starts[slot] + this.latency)", "this.starts[slot])"),
  transfers("Math.max(this.ends[slot] + this.latency, moved)", "moved"),
  transfers("Math.max(this.ends[slot] + this.latency, moved)", "this.ends[slot] + this.latency"),
  transfers("fillBytes[at] = Math.max(fillBytes[at], fill)", "fillBytes[at] = fill"),
  transfers("if (this.ports.isStore(engine)) return this.ends[slot];", ""),

  requests("const AXI_PAGE_BYTES = 4096", "const AXI_PAGE_BYTES = 8192"),
  requests('p["dram.rowBytes"], interleave)', "interleave)"),
  requests('p["dram.channels"] > 1 ?', "true ?"),
  requests("burst === lastBurst ? 1 : 0", "0"),
  requests("Math.floor(requestBytes / burstBytes)", "Math.ceil(requestBytes / burstBytes)"),
  requests("runs++;", "runs = 1;"),

  fetch("this.ends[oldest] + this.latency", "this.ends[oldest]"),
  fetch("Math.max(this.ends[buffer], end)", "end"),
  fetch("aligned(dramBytes)", "dramBytes"),
  fetch("b * perBlock * INSTRUCTION_BYTES, 1", "0, 1"),

  sram("booked[agent] <= 1 - LEAST_FREE + ROUNDING", "booked[agent] < 2"),
  sram("const LEAST_FREE = 1 / 8", "const LEAST_FREE = 1 / 2"),
  sram("(1 - this.booked[agent]) *", ""),
  sram("1 / (1 - taken)", "1 + taken"),
  sram("Math.max(occupancy, wholeCycle(bytes / this.freeBytesPerCycle(agent)))", "occupancy"),
  sram("Math.round(occupancy * retries), ", ""),
  sram(", wholeCycle(bytes / free))", ")"),
  sram("this.booked[target] += this.shares[unit]", ""),
  sram("free = Math.min(free, this.freeBytesPerCycle(target))", ""),
  sram("this.booked[agent] += share", ""),
  sram("this.byArrays[agent] += this.take", "this.take"),
  sram(
    "--this.users[agent] === 0 ? 0 : this.booked[agent] - share",
    "--this.users[agent] === 0 ? 0 : this.booked[agent]",
  ),
  sram("retries = Math.max(retries, this.retries(target))", ""),

  costs('p["sram.banks"] * p["sram.bankBytesPerCycle"]', 'p["sram.banks"]'),
  costs("const preload = rows", "const preload = cols"),
  costs("const drain = rows + cols - 2", "const drain = rows + cols - 1"),
  costs("overlap ? preload : 0)", "0)"),
  costs("preload + work.pixels", "work.pixels"),
  costs("streamed + drain", "streamed"),
  costs("(hidden ? lastStream : 0) + ", ""),
  costs("overlap ? Math.min(work.pixels, preload) : preload", "preload"),
  costs("+ (overlap ? drain : 0)", ""),
  costs('tail: p["lanes.latencyCycles"]', "tail: 0"),
  costs("isRemote ? work.bytes : 2 * work.bytes", "work.bytes"),
  costs('isRemote ? p["link.latencyCycles"] : 0', "0"),
  costs('laneCost(p["pool.lanes"], work, p),\n  add', 'laneCost(p["shift.lanes"], work, p),\n  add'),
  costs('laneCost(p["range.lanes"]', 'laneCost(p["shift.lanes"]'),
  costs('laneCost(p["shift.lanes"], work, p)', 'laneCost(p["pool.lanes"], work, p)'),
  costs('p["sync.latencyCycles"] + Math.ceil', "Math.ceil"),
  costs(
    'exponent: (_, __, p) => ({ occupancy: p["scalar.cyclesPerOperation"]',
    "exponent: (_, __, p) => ({ occupancy: p.agents",
  ),

  issue("(silent + 1) * this.cyclesPerInstruction", "this.cyclesPerInstruction"),
  issue("block + this.buffers < this.blockLimit", "block + this.buffers <= this.blockLimit - 2"),
  issue("++this.passed[at] < this.stream.agents", "++this.passed[at] < 1"),

  engine("this.queued[unit] >= this.queueDepth", "this.queued[unit] > this.queueDepth"),
  engine("group.sizes[agent] > 1 ? this.multicastCycles : 0", "true ? this.multicastCycles : 0"),
  engine("group.sizes[agent] > 1 ? this.multicastCycles : 0", "false ? this.multicastCycles : 0"),
  engine("this.push(now + this.syncLatency, RELEASE", "this.push(now, RELEASE"),
  engine("Math.max(enter + this.tail[at], this.latestEnd[unit])", "enter + this.tail[at]"),
  engine("fillBytes[at] > 0 ? this.dmaRate : ", ""),
  engine("most <= free ? this.dmaRate : free", "this.dmaRate"),
  engine("if (!this.sramHasRoom(index, agent)) return SRAM;", ""),
  engine("&& !this.sramHasRoom(index, member)", "&& false"),
  engine("&& (target < 0 || this.sram.hasRoom(target))", ""),
  engine("slot, start, end, this.sram.retries(agent))", "slot, start, end, 1)"),
  engine("if (group.leaders[member] === agent) free = Math.min", "if (false) free = Math.min"),
  engine("this.arrivals[index * agents + leader] < group.sizes[leader]", "false"),
  engine("this.queue.nextTime <= time ||", ""),
  engine("|| this.dramQueue.nextTime <= time", ""),
  engine("if (!this.segments[first].isPrologue) this.semaphores.reset();", ""),

  work("Math.floor((end - 1) / conv.groupOut) - Math.floor(first / conv.groupOut) + 1", "1"),
  work("(2 * passes - (conv.add ? 0 : 1))", "2 * passes"),
  work("work.values = outputs * taps", "work.values = outputs"),
  work("pixelsOf(box) * taps", "pixelsOf(box)"),
  work("work.sramReadBytes = 2 * work.values", "work.sramReadBytes = work.values"),
  work("target !== agent", "false"),

  barriers("(instance - this.instancesInPrologue) % this.body.length", "0"),
  semaphores("Math.floor(agent / gridX) + offsetY", "Math.floor(agent / gridX)"),
];
