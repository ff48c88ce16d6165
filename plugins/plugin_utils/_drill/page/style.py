# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How the drill's page looks: light and dark, on a screen, a phone and paper."""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1b2330; --soft: #566173; --line: #dfe3e9; --faint: #eef1f5;
  --pass: #1c7d4d; --pass-back: #e4f3ea; --fail: #b3261e; --fail-back: #fbe9e7; --skip: #626c7a; --skip-back: #eceff3;
  --disturbed: #8a5300; --disturbed-back: #fdf1dc;
  --good: #a5d3b8; --bad: #c62f26; --held: #3b6fb6; --warn: #9a5b00; --felt: rgb(198 47 38 / .09);
  --fan: rgb(59 111 182 / .10); --double: rgb(214 137 16 / .22); --shade: rgb(27 35 48 / .20); --hatch: #8a94a3;
  --served: #a58ac9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #10151c; --card: #181f29; --ink: #e3e8ef; --soft: #9aa6b6; --line: #2c3643; --faint: #202935;
    --pass: #6cca98; --pass-back: #17332a; --fail: #ff8f85; --fail-back: #40211f; --skip: #a3adba; --skip-back: #29323e;
    --disturbed: #e8b45c; --disturbed-back: #3a2d14;
    --good: #35694f; --bad: #f2645a; --held: #5d90d8; --warn: #e3ad58; --felt: rgb(242 100 90 / .13);
    --fan: rgb(111 159 224 / .14); --double: rgb(227 173 88 / .26); --shade: rgb(0 0 0 / .55); --hatch: #75808f;
    --served: #7f64ab;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
main { max-width: 1080px; margin: 0 auto; padding: 32px 24px 56px; }
h1, h2, h3, p, dl, dd, ul, figure { margin: 0; }
h1 { font-size: 28px; line-height: 1.2; letter-spacing: -.01em; font-weight: 650; text-wrap: balance; }
h2 { font-size: 19px; line-height: 1.3; font-weight: 650; }
a { color: inherit; text-decoration-color: var(--hatch); text-underline-offset: 3px; }
a:hover { text-decoration-color: currentcolor; }
:focus-visible { outline: 2px solid var(--held); outline-offset: 2px; }
code { font: .88em ui-monospace, "SF Mono", Consolas, "DejaVu Sans Mono", monospace; color: var(--soft); }
.over { color: var(--soft); font-size: 13px; margin-bottom: 18px; }
.headline { display: flex; gap: 14px; align-items: center; }
.state { display: inline-flex; gap: 6px; align-items: center; font-weight: 600; white-space: nowrap; }
.state svg, .reasons svg { width: 16px; height: 16px; flex: none; }
.headline .state svg { width: 36px; height: 36px; }
.pass { color: var(--pass); } .fail { color: var(--fail); } .skip { color: var(--skip); }
.disturbed { color: var(--disturbed); }
.body { fill: currentcolor; }
.sign { fill: none; stroke: var(--card); stroke-width: 2.4; stroke-linecap: round; stroke-linejoin: round; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(138px, 1fr)); gap: 14px 20px; }
.facts dt { color: var(--soft); font-size: 12.5px; line-height: 1.4; }
.facts dd { font-weight: 550; }
.facts dd small { display: block; font-weight: 400; font-size: 12.5px; color: var(--soft); }
header .facts { margin-top: 22px; }
.reasons { list-style: none; padding: 0; display: grid; gap: 6px; }
.reasons li { display: flex; gap: 9px; padding: 8px 12px; border-radius: 6px; }
.reasons svg { margin-top: 3px; }
.reasons .fail { background: var(--fail-back); } .reasons .skip { background: var(--skip-back); }
.reasons .disturbed { background: var(--disturbed-back); }
.reasons span { color: var(--ink); }
header .reasons { margin-top: 22px; }
.card {
  background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 20px 22px; margin-top: 22px;
}
.card > h2 { margin-bottom: 10px; }
.note { color: var(--soft); font-size: 13.5px; }
.note + .scroll, .note + .reasons, .note + .facts { margin-top: 12px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; overflow-wrap: normal; }
th { text-align: left; font-weight: 500; color: var(--soft); font-size: 12.5px; line-height: 1.3; }
th, th.number { vertical-align: bottom; white-space: normal; }
th, td { padding: 8px 10px; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { padding-left: 0; } th:last-child, td:last-child { padding-right: 0; }
tr:last-child td { border-bottom: 0; }
td { vertical-align: middle; }
.number { text-align: right; white-space: nowrap; }
td.name a { font-weight: 600; } td.name small { display: block; color: var(--soft); font-size: 12.5px; }
.above { color: var(--fail); font-weight: 650; }
.none { color: var(--hatch); }
.alike, .unmeasured { color: var(--soft); }
.slower, .worse { color: var(--fail); font-weight: 600; } .faster { color: var(--pass); font-weight: 600; }
.top { display: flex; flex-wrap: wrap; gap: 4px 14px; align-items: baseline; justify-content: space-between; }
.top code { margin-left: 6px; font-weight: 400; }
.drill > .note { margin-top: 3px; }
.drill > .facts { margin-top: 16px; padding-top: 14px; border-top: 1px solid var(--line); }
.drill > .reasons { margin-top: 12px; }
figure { margin-top: 20px; }
figcaption { font-size: 13.5px; color: var(--soft); margin-bottom: 8px; }
figcaption b { color: var(--ink); font-weight: 600; }
.picture { overflow-x: auto; }
.picture svg { display: block; width: 100%; min-width: 740px; height: auto; }
.picture text { font-size: 11.5px; fill: var(--soft); }
.picture .lane { fill: var(--ink); font-size: 12px; }
.picture .label { fill: var(--ink); }
.behind { fill: var(--card); }
.grid { stroke: var(--line); } .axis { stroke: var(--hatch); }
.track { fill: var(--faint); } .idle { stroke: var(--line); stroke-width: 2; }
.good { fill: var(--good); } .bad { fill: var(--bad); } .held { fill: var(--held); } .felt { fill: var(--felt); }
.double { fill: var(--double); } .served { fill: var(--served); shape-rendering: crispEdges; }
.hatching { stroke: var(--hatch); stroke-width: 2.2; }
.hatched { stroke: var(--hatch); stroke-width: .8; }
.fan { fill: var(--fan); } .looked { stroke: var(--held); stroke-width: 3; }
.mark { stroke: var(--soft); stroke-width: 1.2; stroke-dasharray: 3 3; }
.mark.inject, .mark.heal { stroke: var(--ink); stroke-width: 1.6; stroke-dasharray: none; }
.picture .label.inject, .picture .label.heal { font-weight: 650; }
.mark.alarm { stroke: var(--warn); } .picture .label.alarm { fill: var(--warn); }
.mark.objective { stroke: var(--bad); stroke-dasharray: none; } .picture .label.objective { fill: var(--fail); }
.mark.bound { stroke: var(--held); stroke-dasharray: 6 3; }
.dot { fill: var(--held); fill-opacity: .75; } .beyond { fill: var(--bad); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; padding: 0; list-style: none; }
.legend { font-size: 13px; color: var(--soft); }
.legend li { display: flex; gap: 7px; align-items: center; }
.legend svg { width: 22px; height: 16px; flex: none; }
.card + .legend { margin: 26px 0 0; }
details { margin-top: 16px; }
summary { cursor: pointer; color: var(--soft); font-size: 13.5px; }
summary:hover { color: var(--ink); }
footer { margin-top: 26px; color: var(--soft); font-size: 13px; }
footer p + p { margin-top: 6px; }
.hidden { position: absolute; width: 0; height: 0; }
@media screen and (max-width: 760px) {
  main { padding: 22px 14px 40px; }
  h1 { font-size: 23px; }
  .headline .state svg { width: 30px; height: 30px; }
  .facts { grid-template-columns: repeat(auto-fill, minmax(128px, 1fr)); gap: 12px 16px; }
  .card { padding: 16px 14px; border-radius: 8px; }
  .picture {
    background:
      linear-gradient(to left, var(--card) 50%, transparent) right / 36px 100% no-repeat local,
      linear-gradient(to left, var(--shade), transparent) right / 14px 100% no-repeat scroll;
  }
  .stack thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .stack, .stack tbody { display: block; }
  .stack tr {
    display: grid; grid-template-columns: repeat(3, 1fr); gap: 8px 12px; padding: 14px 0;
    border-bottom: 1px solid var(--line);
  }
  .stack tr:first-child { padding-top: 2px; } .stack tr:last-child { border-bottom: 0; padding-bottom: 0; }
  .stack td { display: block; padding: 0; border: 0; text-align: left; white-space: normal; }
  .stack td::before { content: attr(data-label); display: block; color: var(--soft); font-size: 12px; }
  .stack td.name { grid-column: 1 / 3; order: -2; font-size: 15px; } .stack td.last { order: -1; }
  .stack td.name::before, .stack td.last::before { display: none; }
  .stack td.last { justify-self: end; }
}
@page { margin: 14mm 12mm; }
@media print {
  :root {
    color-scheme: light;
    --page: #ffffff; --card: #ffffff; --ink: #16191d; --soft: #4b5563; --line: #d5d9df; --faint: #eef1f5;
    --pass: #1c7d4d; --fail: #b3261e; --fail-back: #fbe9e7; --skip: #626c7a; --skip-back: #eceff3;
  --disturbed: #8a5300; --disturbed-back: #fdf1dc;
    --good: #a5d3b8; --bad: #c62f26; --held: #3b6fb6; --warn: #9a5b00; --felt: rgb(198 47 38 / .09);
    --fan: rgb(59 111 182 / .10); --double: rgb(214 137 16 / .22); --shade: rgb(27 35 48 / .20); --hatch: #8a94a3;
    --served: #a58ac9;
  }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { font-size: 9pt; line-height: 1.4; }
  h1 { font-size: 17pt; } h2 { font-size: 12pt; }
  main { max-width: none; padding: 0; }
  .card { border: 0; border-top: 1px solid var(--line); border-radius: 0; padding: 14px 0 0; margin-top: 16px; }
  .scroll, .picture { overflow: visible; }
  .picture svg { min-width: 0; }
  table { font-size: 8pt; } th, td { padding: 4px 5px; } th { font-size: 7.5pt; }
  figcaption, .note, .legend, footer, .over { font-size: 8.5pt; }
  .facts { gap: 8px 14px; grid-template-columns: repeat(6, 1fr); }
  .facts dt, .facts dd small, td.name small { font-size: 7.5pt; }
  .drill > .facts { margin-top: 10px; padding-top: 10px; } figure { margin-top: 12px; }
  tr, figure, .top, .facts, .reasons li, header { break-inside: avoid; }
  .top, figcaption, h2, .note { break-after: avoid; }
  .drill { break-inside: avoid; }
  details { display: none; }
  a { text-decoration: none; }
}
"""
