/** What a sweep's page adds to the look of a run's. */
import { RUN_STYLE } from "./run-style.ts";

export const SWEEP_STYLE = `${RUN_STYLE}
select, input { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 0.3rem; padding: 0.1rem 0.3rem; max-width: 100%; }
select:focus-visible, input:focus-visible, svg:focus-visible, a:focus-visible { outline: 2px solid var(--after); outline-offset: 1px; }
label { display: inline-flex; gap: 0.3rem; align-items: center; max-width: 100%; }
.plot { min-width: 36rem; max-width: 70rem; }
.plot .grid { stroke: var(--line); stroke-width: 1; }
.plot circle { fill: var(--before); fill-opacity: 0.75; cursor: pointer; }
.plot circle.front { fill: var(--after); fill-opacity: 1; }
.plot circle.chosen { stroke: var(--alone); stroke-width: 3; }
.plot .frontline { fill: none; stroke: var(--after); stroke-width: 1.5; stroke-opacity: 0.6; }
.plot path.line { fill: none; stroke: var(--before); stroke-opacity: 0.35; cursor: pointer; }
.plot path.line.front { stroke: var(--after); stroke-opacity: 0.85; stroke-width: 1.5; }
.plot path.line.chosen { stroke: var(--alone); stroke-opacity: 1; stroke-width: 3; }
.plot .label { fill: var(--ink); font-size: 12px; }
tr.chosen { background: color-mix(in srgb, var(--alone) 18%, transparent); }
tr.front td:first-child { font-weight: 700; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.6rem 0.8rem; overflow-x: auto; font-size: 0.82rem; }
pre:focus-visible { outline: 2px solid var(--after); }
`;
