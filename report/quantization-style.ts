/** The look of the quantization page, light and dark; its charts take their colours from here too. */
export const QUANTIZATION_STYLE = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --card: #f6f7f9; --ink: #1b1f24; --dim: #5b6470; --line: #d9dde3;
  --before: #9aa5b1; --after: #0b62c4; --alone: #b45309; --weights: #6b7785; --warn: #b42318;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171b; --card: #1d2126; --ink: #e8eaed; --dim: #a2abb6; --line: #363c44;
    --before: #6e7985; --after: #6cb2ff; --alone: #f0a04b; --weights: #a3adb8; --warn: #ff8a80;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1rem; max-width: 76rem;
  background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif;
}
h1 { font-size: 1.5rem; margin: 0.2rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2rem 0 0.5rem; }
p { margin: 0.4rem 0; max-width: 62rem; }
.dim { color: var(--dim); }
.warn { color: var(--warn); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 0.6rem; margin: 1rem 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.5rem 0.8rem; }
.tile b { display: block; font-size: 1.3rem; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 0.5rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.85rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { color: var(--dim); font-weight: 600; vertical-align: bottom; white-space: normal; }
tr:last-child td { border-bottom: 0; }
th:first-child, td:first-child {
  text-align: left; position: sticky; left: 0; background: var(--page);
  max-width: 14rem; overflow: hidden; text-overflow: ellipsis;
}
a { color: var(--after); }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--dim); font: 11px system-ui, sans-serif; }
.network svg { min-width: 44rem; }
.layers { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 34rem), 1fr)); gap: 0.8rem; }
.layer { background: var(--card); border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.7rem 0.9rem; min-width: 0; }
.layer h3 { margin: 0; font-size: 1rem; overflow-wrap: anywhere; }
.layer:target { outline: 2px solid var(--after); }
.pair { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr)); gap: 0.8rem; }
figure { margin: 0.6rem 0 0; min-width: 0; }
figcaption { font-size: 0.82rem; color: var(--dim); }
.key { display: inline-block; width: 0.8em; height: 0.8em; border-radius: 2px; vertical-align: -0.05em; }
ol { margin: 0.3rem 0; padding-left: 1.6rem; font-size: 0.9rem; overflow-wrap: anywhere; }
@media print { .scroll { overflow: visible; } .layer { break-inside: avoid; } }
`;
