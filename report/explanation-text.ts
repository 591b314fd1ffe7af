/** An explanation as text. */
import type { ScheduleStep } from "../isa/index.ts";
import type { ExplainedStep, Explanation } from "./explanation.ts";
import { grouped, percent, withPrefix } from "./numbers.ts";
import { type Page, printable, wrapped } from "./page.ts";

export function explanationLines(page: Page, explanation: Explanation): string[] {
  const { cycles, dramBytes, bounds, steps, sramBytes } = explanation;
  const factor = (bound: number) => (bound > 0 ? `${(cycles / bound).toFixed(2)} times` : "-");
  return [
    `${page.bold(printable(explanation.program))} on ${printable(explanation.machine)}: ${grouped(cycles)} cycles, ${withPrefix(dramBytes, "B")} of DRAM traffic a frame`,
    ...wrapped(
      page,
      "  ",
      `${factor(bounds.computeCycles)} the ${grouped(bounds.computeCycles)} cycles of its useful MACs at peak; ${factor(bounds.dramCycles)} the ${grouped(bounds.dramCycles)} cycles that weights, input and output take DRAM once; its own traffic takes ${grouped(bounds.trafficCycles)}.`,
    ),
    ...(explanation.optimize
      ? []
      : [
          "",
          ...wrapped(
            page,
            "  ",
            "Layers go through DRAM one by one: compiled with --optimize 0, with run-time exponents, or written by hand.",
          ),
        ]),
    ...steps.flatMap((step, i) => ["", ...stepLines(page, step, i + 1, sramBytes)]),
  ];
}

const names = (list: readonly string[]) => list.map(printable).join(", ");
const extent = ([height, width]: readonly [number, number]) => `${grouped(height)} x ${grouped(width)}`;

function stepLines(
  page: Page,
  { layers, schedule, simulated, computeCycles, otherCut }: ExplainedStep,
  number: number,
  sramBytes: number,
): string[] {
  const heading = wrapped(page, `${String(number).padStart(2)}  `, names(layers)).map((line) => page.bold(line));
  const line = (label: string, text: string) => wrapped(page, `    ${label.padEnd(11)}`, text);
  const time = `${grouped(simulated.cycles)} cycles (MACs at peak: ${grouped(computeCycles)}), ${withPrefix(simulated.dramBytes, "B")} of DRAM, ${withPrefix(simulated.energyPj * 1e-12, "J")}`;
  if (schedule === null)
    return [...heading, ...line("simulated", time), ...line("schedule", "by itself, through DRAM")];
  const { grid, tile, stripe, channels, weights, estimate } = schedule;
  const agents = grid[0] * grid[1];
  const whole = stripe[0] === tile[0] && stripe[1] === tile[1];
  const tiling = [
    ...(channels === null ? [] : [`output channels ${channels[0]} to ${channels[0] + channels[1] - 1}`]),
    agents === 1 ? `result of ${extent(tile)}` : `${extent(grid)} agents, each ${extent(tile)} of the result`,
    whole ? "all at once" : `in stripes of ${extent(stripe)}`,
    weights === "resident" ? "weights loaded once" : "weights loaded for every stripe",
  ];
  return [
    ...heading,
    ...line("schedule", `${tiling.join("; ")}.`),
    ...line("tensors", tensorsText(schedule)),
    ...line("SRAM", `${grouped(schedule.sramBytes)} B beside tensors kept there, of ${grouped(sramBytes)}`),
    ...line("simulated", time),
    ...line(
      "estimated",
      `${grouped(estimate.cycles)} cycles, most of it ${UNIT_TEXT[estimate.bound]}; ${withPrefix(estimate.dramBytes, "B")}`,
    ),
    ...line("runner-up", runnerUp(schedule, otherCut)),
  ];
}

const UNIT_TEXT: Readonly<Record<ScheduleStep["estimate"]["bound"], string>> = {
  mac: "the arrays' work",
  shift: "the shift units' work",
  pool: "the pool units' work",
  link: "copies",
  dma: "the DMA engines' work",
  dram: "DRAM's work",
};

function tensorsText({ tensors, layers: [first, end] }: ScheduleStep): string {
  const count = end - first;
  const at = (home: "dram" | "sram") => tensors.filter((tensor) => tensor.home === home).map(({ name }) => name);
  const [dram, sram] = [at("dram"), at("sram")];
  return [
    ...(dram.length > 0 ? [`${names(dram)} in DRAM`] : []),
    ...(sram.length > 0 ? [`${names(sram)} in SRAM`] : []),
    ...(count > 1 ? ["all between stays in SRAM"] : []),
  ].join("; ");
}

/** What came second, and why it lost. */
function runnerUp({ estimate, otherTiling, otherCut }: ScheduleStep, first: string | null): string {
  const parts: string[] = [];
  if (otherTiling !== null) {
    const more = otherTiling.estimate.cycles / estimate.cycles - 1;
    const why =
      more > 0.0005
        ? `${percent(more)} more cycles, most of it ${UNIT_TEXT[otherTiling.estimate.bound]}`
        : `no faster, and ${withPrefix(Math.max(0, otherTiling.estimate.dramBytes - estimate.dramBytes), "B")} more traffic`;
    parts.push(`stripes of ${extent(otherTiling.stripe)}, weights ${otherTiling.weights}: ${why}`);
  }
  if (otherCut !== null && first !== null) {
    parts.push(
      otherCut.moreCycles > 0
        ? `a last step that begins with ${printable(first)}: ${grouped(otherCut.moreCycles)} more cycles up to here`
        : `a last step that begins with ${printable(first)}: just as good`,
    );
  }
  return parts.length > 0 ? parts.join("; ") : "nothing else fits";
}
