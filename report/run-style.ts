/** What a run's page adds to the look of the house's pages. */
import { QUANTIZATION_STYLE } from "./quantization-style.ts";

export const RUN_STYLE = `${QUANTIZATION_STYLE}
:root { --shade: rgb(255 255 255 / 0.72); }
@media (prefers-color-scheme: dark) { :root { --shade: rgb(20 23 27 / 0.72); } }
body { padding: clamp(0.8rem, 3vw, 2rem); }
.warn { overflow-wrap: anywhere; }
nav { display: flex; flex-wrap: wrap; gap: 0.2rem 1.1rem; padding: 0.5rem 0; border-block: 1px solid var(--line); font-size: 0.92rem; }
nav a { text-decoration: none; }
nav a:hover, nav a:focus-visible { text-decoration: underline; }
section { margin-top: 2rem; scroll-margin-top: 0.5rem; }
section > h2 { margin-top: 0; }
h3 { font-size: 0.98rem; margin: 1.3rem 0 0.3rem; }
.tiles { grid-template-columns: repeat(auto-fit, minmax(12.5rem, 1fr)); }
.tile { font-size: 0.88rem; color: var(--dim); }
.tile b { color: var(--ink); }
.chart { overflow-x: auto; }
.chart svg { display: block; width: 100%; min-width: 32rem; max-width: 60rem; height: auto; }
.ceiling { font-weight: 600; }
circle[data-select] { cursor: pointer; }
circle:focus-visible { outline: none; stroke: var(--ink); stroke-width: 2.5; }
.photo { width: 100%; height: auto; border-radius: 0.5rem; margin-bottom: 0.4rem; }
.photo text { font-weight: 600; paint-order: stroke; stroke: rgb(0 0 0 / 0.75); stroke-width: 0.22em; }
.boxlabel { font-family: system-ui, sans-serif; }
td:first-child { max-width: 16rem; overflow: hidden; text-overflow: ellipsis; }
button { font: inherit; color: inherit; background: none; border: 1px solid var(--line); border-radius: 0.3rem; padding: 0.1rem 0.5rem; cursor: pointer; }
th button, td button { border: 0; padding: 0; text-align: inherit; max-width: 100%; overflow: hidden; text-overflow: ellipsis; }
th button { font-weight: 600; }
th[aria-sort="ascending"] button::after { content: " ▲"; }
th[aria-sort="descending"] button::after { content: " ▼"; }
button:focus-visible, .scroll:focus-visible, .chart:focus-visible, .series:focus-visible, #timeline:focus-visible, #sram:focus-visible, summary:focus-visible { outline: 2px solid var(--after); outline-offset: 1px; }
.bar { display: inline-block; height: 0.75em; min-width: 1px; border-radius: 2px; background: var(--after); vertical-align: -0.05em; }
.barcell { min-width: 9rem; text-align: left; }
.word { text-align: left; }
.text { min-width: 20rem; text-align: left; white-space: normal; }
.parts { display: flex; height: 0.85em; width: 14rem; }
.parts span { height: 100%; }
.keys { display: flex; flex-wrap: wrap; gap: 0.1rem 1rem; font-size: 0.82rem; }
.selecting .mark:not(.selected) { opacity: 0.15; }
.selected.mark { stroke: var(--ink); stroke-width: 2; }
tr.selected td { background: color-mix(in srgb, var(--after) 20%, var(--page)); }
.controls { display: flex; flex-wrap: wrap; gap: 0.4rem; align-items: center; padding: 0.4rem 0; position: sticky; top: 0; z-index: 3; background: var(--page); font-size: 0.88rem; }
#timeline { height: min(26rem, 70vh); overflow-y: auto; overflow-x: hidden; border: 1px solid var(--line); border-radius: 0.5rem; }
#timeline canvas { position: sticky; top: 0; }
#sram, .series { overflow: hidden; }
canvas { display: block; width: 100%; touch-action: pan-y; cursor: crosshair; }
.series canvas { width: auto; }
.u-legend { text-align: left; font-size: 0.78rem; color: var(--dim); width: auto; margin: 0.1rem 0 0; }
.u-legend th, .u-legend td { border: 0; padding: 0; font-weight: 400; max-width: none; position: static; background: none; }
.u-legend .u-series { padding: 0 0.3rem; min-width: 8.5rem; text-align: left; }
.u-legend .u-value { padding-left: 0.35em; }
.u-legend .u-marker { border-radius: 2px; width: 0.8em; height: 0.8em; }
.u-select { background: color-mix(in srgb, var(--after) 22%, transparent); }
.u-cursor-x { border-color: var(--dim); }
#tip { position: fixed; z-index: 9; max-width: min(26rem, 90vw); padding: 0.25rem 0.55rem; border-radius: 0.3rem; background: var(--ink); color: var(--page); font-size: 0.82rem; line-height: 1.35; overflow-wrap: anywhere; pointer-events: none; }
#chosen { position: fixed; z-index: 8; left: 50%; bottom: 0.8rem; transform: translateX(-50%); display: flex; gap: 0.8rem; align-items: center; width: max-content; max-width: min(72rem, 94vw); padding: 0.4rem 0.9rem; border: 1px solid var(--after); border-radius: 0.5rem; background: var(--card); font-size: 0.88rem; overflow-wrap: anywhere; box-shadow: 0 2px 12px rgb(0 0 0 / 0.25); }
#chosen[hidden], #tip[hidden] { display: none; }
details { margin: 0.6rem 0; }
li { overflow-wrap: anywhere; }
@media (max-width: 600px) {
  .boxlabel { display: none; }
  th:first-child, td:first-child { max-width: 8.5rem; white-space: normal; overflow-wrap: anywhere; }
  .controls .dim { display: none; }
  .tiles { grid-template-columns: 1fr 1fr; gap: 0.4rem; }
  .tile { padding: 0.4rem 0.5rem; }
  .tile b { font-size: 1.05rem; }
}
@media print {
  :root { color-scheme: light; --page: #ffffff; --card: #f6f7f9; --ink: #1b1f24; --dim: #5b6470; --line: #d9dde3; --after: #0b62c4; --alone: #b45309; --warn: #b42318; --shade: rgb(255 255 255 / 0.72); }
  nav, .controls, #chosen, #tip { display: none !important; }
  #timeline { height: auto; overflow: visible; }
  #timeline div { display: none; }
  .series .uplot, .series .u-wrap { width: 100% !important; height: auto !important; }
  .series canvas { position: static; width: 100% !important; height: auto !important; }
  h2, h3 { break-after: avoid; }
  table { font-size: 0.62rem; }
  th, td { padding: 0.1rem 0.25rem; }
  .barcell, .word { text-align: left; }
.text { min-width: 0; }
  .parts { width: 8rem; }
  tr, .series, #sram, .chart, .tile, .photo { break-inside: avoid; }
  .bar, .key, .parts span, .u-marker { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
