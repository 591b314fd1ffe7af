/** The presets in one table. */
import { DEFAULT_MACHINE, loadPreset, type MachineParameters, peakMacsPerCycle, presetText } from "../isa/index.ts";
import { type Column, createPage, grouped, significant, tableLines, wrapped } from "../report/index.ts";
import { areaMm2 } from "../sim/index.ts";
import { hasColor, type Io, pageWidth } from "./io.ts";

interface Row {
  readonly name: string;
  readonly p: MachineParameters;
  readonly peak: number;
}

const COLUMNS: readonly Column<Row>[] = [
  { head: "machine", align: "left", cell: ({ name }) => name },
  { head: "agents", align: "right", cell: ({ p }) => grouped(p.agents) },
  {
    head: "arrays",
    align: "left",
    cell: ({ p }) => `${p["agent.tensorProcessors"]} of ${p["array.rows"]} x ${p["array.cols"]}`,
  },
  { head: "MACs/cycle", align: "right", cell: ({ peak }) => grouped(peak) },
  { head: "SRAM KiB", align: "right", cell: ({ p }) => grouped(p["sram.bytes"] / 1024) },
  { head: "DRAM B/cycle", align: "right", cell: ({ p }) => significant(p["dram.bytesPerCycle"], 4) },
  { head: "mm2", align: "right", cell: ({ p }) => significant(areaMm2(p).total), drop: 2 },
  { head: "GHz", align: "right", cell: ({ p }) => significant(p.clockHz / 1e9), drop: 1 },
];

export function machineList(names: readonly string[], io: Io): string {
  const page = createPage({ color: hasColor(io.stdout, io.env), width: pageWidth(io.stdout) });
  const rows = names.map((name) => {
    const machine = loadPreset(name);
    return { name, p: machine.parameters, peak: peakMacsPerCycle(machine) };
  });
  const about = names.flatMap((name) => {
    const line = /^about:\s*(.+)$/m.exec(presetText(name));
    return line === null ? [] : wrapped(page, `  ${name}: `, line[1]);
  });
  return [
    ...tableLines(page, COLUMNS, rows),
    "",
    ...about,
    "",
    ...wrapped(
      page,
      "",
      `SRAM and arrays are per agent; area is a proxy (docs/energy.md). ${DEFAULT_MACHINE} is the default; all values: rapsim machines --show NAME.`,
    ),
    "",
  ].join("\n");
}

/** A preset's file, and what area its machine takes as a comment below. */
export function machineFile(name: string): string {
  const { total, ...parts } = areaMm2(loadPreset(name).parameters);
  const shares = Object.entries(parts).map(([part, area]) => `${part} ${significant(area)}`);
  const nm = loadPreset(name).parameters["tech.nodeNm"];
  return `${presetText(name)}# area at ${nm} nm, about ${significant(total)} mm2: ${shares.join(", ")}\n`;
}
