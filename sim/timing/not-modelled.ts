/** What the time and energy model leaves out: sentences for the end of every report. */
export const NOT_MODELLED: readonly string[] = [
  "SRAM bank by bank: conflicts are averages, banks being hit at random; an instruction keeps the pace that it found when it started, and units other than MAC arrays hinder each other only when the banks are full.",
  "DRAM commands one by one, per-bank refresh, ranks, power-down, and activation energy: a request is one calculation, and requests are not reordered for open rows.",
  "The AXI interconnect between DMA engines and DRAM: requests and data meet no other limit than DRAM, the engine and its outstanding requests.",
  "Contention of links: every agent sends at the full link rate wherever the receiver is, and a receiving agent is not slowed down.",
  "The host: its input is in DRAM when a frame starts (its transfer takes hostBytes over host.bytesPerCycle, not added to any time), it reads outputs at no cost, and its own energy and its DRAM accesses are not counted.",
  "Instruction caches: every frame fetches all its instructions from DRAM again.",
  "Clock and power gating, voltage and frequency scaling, and temperature: leakage and clock power are constant.",
  "The energy of run-time exponent arithmetic, of barriers and of padding written beside DMA bytes, beyond their SRAM accesses.",
];
