// This style sheet gives bench pages their looks. Every text has a contrast of 4.5:1 or more to its ground in both
// colour schemes, as WCAG 2 asks at level AA.
#pragma once

namespace rnnc::tools {

inline constexpr const char* kBenchPageStyle = R"css(
:root { color-scheme: light dark;
  --ground: #f6f8fa; --card: #ffffff; --edge: #d0d7de; --text: #1f2328; --faint: #59636e; --grid: #e4e8ec;
  --axis: #8c959f; --ours: #0a58a8; --on-ours: #ffffff; --theirs: #a84300; --good: #116329; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root {
  --ground: #0d1117; --card: #161b22; --edge: #30363d; --text: #e6edf3; --faint: #9ea7b3; --grid: #262c34;
  --axis: #6e7681; --ours: #6cb6ff; --on-ours: #0d1117; --theirs: #f0a067; --good: #7ee2a0; --bad: #ff9d94; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 1.25rem 1rem 3rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .75rem; }
h3 { font-size: .95rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
p { margin: .4rem 0; max-width: 48rem; }
.setting, .about { color: var(--faint); }
.about { margin-bottom: .75rem; }
code, h3, td:first-child { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.warning { border-left: 4px solid var(--bad); padding: .4rem .75rem; background: var(--card); }
.warning ul { margin: .25rem 0; padding-left: 1.25rem; overflow-wrap: anywhere; }
code { overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1.25rem 0; padding: 0; }
.tile, .card { background: var(--card); border: 1px solid var(--edge); border-radius: .6rem; padding: .75rem; }
.tile dt { color: var(--faint); font-size: .85rem; }
.tile dd { margin: 0; font-size: 1.4rem; font-weight: 600; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(18rem, 100%), 1fr)); gap: .75rem; }
.card p { font-size: .85rem; margin: .35rem 0 0; }
figure { margin: 0; }
figcaption { font-size: .85rem; color: var(--faint); margin-top: .5rem; }
svg { display: block; width: 100%; height: auto; font-size: 12px; }
.narrow svg { max-width: 26rem; margin: 0 auto; }
.wide { display: none; }
.key { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: 0 0 .5rem; padding: 0; font-size: .9rem; }
.key span { display: inline-block; width: .9em; height: .9em; border-radius: 50%; margin-right: .4em; vertical-align: -.08em;
  border: 2px solid var(--ours); background: var(--ours); }
.key .theirs { border-color: var(--theirs); background: transparent; }
.text { fill: var(--text); } .faint { fill: var(--faint); }
.halo { paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round; }
.grid { stroke: var(--grid); } .axis { stroke: var(--axis); }
.roof { stroke: var(--text); stroke-width: 1.8; fill: none; } .read { stroke: var(--faint); stroke-width: 1.3; fill: none; }
.limit { stroke: var(--text); stroke-width: 3; } .to-limit { stroke: var(--axis); stroke-dasharray: 2 3; }
.box { fill: var(--card); stroke: var(--axis); stroke-width: 1.2; } .box.layer { stroke: var(--ours); stroke-width: 2; }
.box.input, .box.output { fill: var(--ground); } .box.between, .box.over-time { stroke-dasharray: 5 3; }
.title { font-weight: 600; font-size: 13px; }
.flow { fill: none; stroke: var(--axis); stroke-width: 1.4; } .flow-head { fill: var(--axis); }
.scroll { overflow-x: auto; } .drawn { max-width: 100%; margin: 0 auto; }
.facts { margin: 0; } .facts dt { color: var(--faint); font-size: .85rem; } .facts dd { margin: 0 0 .15rem; overflow-wrap: anywhere; }
.names { margin: .4rem 0 0; padding-left: 1.25rem; font-size: .85rem; overflow-wrap: anywhere; }
.four { grid-template-columns: repeat(2, 1fr); }
td.words { grid-column: 1 / -1; justify-content: flex-start; } td.words > span { text-align: left; }
summary { cursor: pointer; font-size: .9rem; margin-top: .5rem; } .cell { margin-bottom: .75rem; }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
.curve.ours { stroke: var(--ours); } .curve.theirs { stroke: var(--theirs); stroke-dasharray: 6 3; }
.mark.ours { fill: var(--ours); stroke: var(--card); stroke-width: 1; }
.mark.theirs { fill: var(--card); stroke: var(--theirs); stroke-width: 2; }
.number { font-weight: 600; pointer-events: none; }
.number.ours { fill: var(--on-ours); } .number.theirs { fill: var(--text); }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--faint); font-size: .85rem; padding-bottom: .5rem; }
thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
tbody tr { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(8.5rem, 100%), 1fr)); gap: 0 .9rem; padding: .6rem 0; border-top: 1px solid var(--edge); }
td { display: flex; justify-content: space-between; align-items: baseline; gap: .5rem; min-width: 0; font-size: .9rem; }
td > span { text-align: right; }
td::before { content: attr(data-title); color: var(--faint); font-size: .8rem; }
td:first-child { grid-column: 1 / -1; font-weight: 600; justify-content: flex-start; overflow-wrap: anywhere; }
td:first-child::before { content: none; }
.number-of-shape { color: var(--faint); font-weight: 400; margin-right: .5em; }
.win { color: var(--good); font-weight: 600; } .loss { color: var(--bad); font-weight: 600; }
@media (min-width: 62rem) {
  .wide { display: block; } .narrow { display: none; }
  thead { position: static; width: auto; height: auto; clip-path: none; display: table-header-group; }
  tbody tr { display: table-row; }
  th { color: var(--faint); font-size: .8rem; font-weight: 600; text-align: right; padding: .3rem .45rem; vertical-align: bottom; }
  td { display: table-cell; text-align: right; padding: .4rem .45rem; border-top: 1px solid var(--edge); white-space: nowrap; }
  td::before { content: none; }
  td.words { white-space: normal; } td.words, th.words, td.words > span { text-align: left; }
  .four { grid-template-columns: repeat(4, 1fr); }
  th:first-child, td:first-child { text-align: left; padding-left: 0; }
}
)css";

}  // namespace rnnc::tools
