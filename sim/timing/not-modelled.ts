/** What the time and energy model leaves out: sentences for the end of every report. */
export const NOT_MODELLED: readonly string[] = [
  "SRAM bank conflicts: an instruction takes at least its bytes over all banks, but units do not slow each other down, so that together they may exceed the banks (the bound sramCycles may then be above the run).",
  "DRAM banks, rows, refresh, activation energy and read-write turn-around: one data bus serves requests in order of arrival at the peak rate.",
  "The AXI interconnect between DMA engines and DRAM: requests and data meet no other limit than DRAM, the engine and its outstanding requests.",
  "Contention of links: every agent sends at the full link rate wherever the receiver is, and a receiving agent is not slowed down.",
  "The host: its input is in DRAM when a frame starts (its transfer takes hostBytes over host.bytesPerCycle, not added to any time), it reads outputs at no cost, and its own energy and its DRAM accesses are not counted.",
  "Instruction caches: every frame fetches all its instructions from DRAM again.",
  "Clock and power gating, voltage and frequency scaling, and temperature: leakage and clock power are constant.",
  "The energy of run-time exponent arithmetic, of barriers and of padding written beside DMA bytes, beyond their SRAM accesses.",
];
