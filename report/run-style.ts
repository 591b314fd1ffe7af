/** What a run's page adds to the look of the house's pages. */
import { QUANTIZATION_STYLE } from "./quantization-style.ts";

export const RUN_STYLE = `${QUANTIZATION_STYLE}
.warn { overflow-wrap: anywhere; }
section { margin-top: 1.8rem; }
section > h2 { margin-top: 0; }
.chart { overflow-x: auto; }
.chart svg { display: block; width: 100%; min-width: 32rem; max-width: 60rem; height: auto; }
td:first-child { max-width: 16rem; overflow: hidden; text-overflow: ellipsis; }
button { font: inherit; color: inherit; background: none; border: 1px solid var(--line); border-radius: 0.3rem; padding: 0.1rem 0.5rem; cursor: pointer; }
th button, td button { border: 0; padding: 0; text-align: inherit; max-width: 100%; overflow: hidden; text-overflow: ellipsis; }
th button { font-weight: 600; }
th[aria-sort="ascending"] button::after { content: " ▲"; }
th[aria-sort="descending"] button::after { content: " ▼"; }
button:focus-visible, canvas:focus-visible, .scroll:focus-visible, .chart:focus-visible, summary:focus-visible { outline: 2px solid var(--after); outline-offset: 1px; }
.bar { display: inline-block; height: 0.75em; min-width: 1px; border-radius: 2px; background: var(--after); vertical-align: -0.05em; }
.barcell { min-width: 9rem; text-align: left; }
.text { min-width: 20rem; text-align: left; white-space: normal; }
.parts { display: flex; height: 0.85em; width: 14rem; }
.parts span { height: 100%; }
.keys { display: flex; flex-wrap: wrap; gap: 0.2rem 1rem; font-size: 0.85rem; }
.selecting .mark:not(.selected) { opacity: 0.15; }
.selected.mark { stroke: var(--ink); stroke-width: 2; }
tr.selected { background: color-mix(in srgb, var(--after) 18%, transparent); }
.controls { display: flex; flex-wrap: wrap; gap: 0.4rem; align-items: center; margin: 0.4rem 0; }
#timeline { max-height: 26rem; overflow-y: auto; border: 1px solid var(--line); border-radius: 0.5rem; }
canvas { display: block; width: 100%; touch-action: pan-y; }
output { display: block; min-height: 1.5em; font-size: 0.88rem; overflow-wrap: anywhere; }
details { margin: 0.6rem 0; }
li { overflow-wrap: anywhere; }
@media print { .controls, output { display: none; } #timeline { max-height: none; } section { break-inside: avoid-page; } }
`;
