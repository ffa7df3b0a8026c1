/** The style sheet of the HTML report: light and dark by the reader's setting, one column on a phone. */

export const PAGE_STYLE = `
:root { color-scheme: light dark; --page: #f6f7f9; --card: #ffffff; --text: #1b2330; --soft: #5d6879; --line: #dfe3ea; --grid: #e8ebf0;
  --warn: #9a3412; --warn-back: #ffedd5; --good: #166534; --good-back: #dcfce7; --bad: #991b1b; --bad-back: #fee2e2;
  --c0: #2563eb; --c1: #d9660a; --c2: #0d8f66; --c3: #9333ea; --c4: #c81e5b; --c5: #64748b; }
@media (prefers-color-scheme: dark) { :root { --page: #11151c; --card: #1a202b; --text: #e6eaf1; --soft: #98a4b7; --line: #2c3545; --grid: #27303e;
  --warn: #fdba74; --warn-back: #43250f; --good: #86efac; --good-back: #123322; --bad: #fca5a5; --bad-back: #471a1c;
  --c0: #6ea5ff; --c1: #ffa257; --c2: #41d3a2; --c3: #c792ff; --c4: #ff7aa8; --c5: #a3b1c6; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 1280px; margin: 0 auto; padding: 28px 18px 48px; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 6px; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 38px 0 12px; }
h3 { font-size: 1rem; margin: 0 0 2px; overflow-wrap: anywhere; }
p { margin: 0 0 6px; } p, li { overflow-wrap: anywhere; } .soft, footer { color: var(--soft); font-size: .88rem; }
code { font: .86rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 16px 18px; margin: 0 0 14px; }
.grid2 { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 330px), 1fr)); gap: 14px; }
.grid2 .card { margin: 0; }
.key::before { content: ""; display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 6px; background: var(--own); }
.c0 { --own: var(--c0); } .c1 { --own: var(--c1); } .c2 { --own: var(--c2); } .c3 { --own: var(--c3); } .c4 { --own: var(--c4); } .c5 { --own: var(--c5); }
.bars { display: grid; grid-template-columns: minmax(70px, max-content) minmax(0, 1fr); gap: 5px 12px; align-items: center; margin-top: 10px; }
.bars .name { font-size: .88rem; overflow-wrap: anywhere; max-width: 200px; }
.bar { display: flex; align-items: center; gap: 8px; min-width: 0; font-variant-numeric: tabular-nums; font-size: .88rem; white-space: nowrap; }
.bar i { flex: none; width: calc(var(--share) * 62%); height: 18px; min-width: 2px; border-radius: 4px; background: var(--own); }
.bar.doubt i { background: repeating-linear-gradient(135deg, var(--own) 0 6px, transparent 6px 10px); outline: 1px solid var(--own); outline-offset: -1px; }
.badge { display: inline-block; border-radius: 999px; padding: 1px 9px; font-size: .78rem; font-weight: 600; white-space: nowrap; background: var(--grid); color: var(--soft); }
.badge.generator, .badge.others { background: var(--warn-back); color: var(--warn); } .badge.good { background: var(--good-back); color: var(--good); } .badge.bad { background: var(--bad-back); color: var(--bad); }
.scroll { overflow-x: auto; -webkit-overflow-scrolling: touch; }
table { border-collapse: collapse; width: 100%; font-size: .82rem; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 8px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; } tr:last-child td { border-bottom: 0; }
th:nth-child(-n+3), td:nth-child(-n+3) { text-align: left; }
figure { margin: 0; min-width: 0; } figcaption { font-size: .86rem; color: var(--soft); margin-bottom: 2px; }
.plots { margin-top: 16px; display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 265px), 1fr)); gap: 14px 18px; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; } .end { text-anchor: end; } .middle { text-anchor: middle; }
.grid { stroke: var(--grid); stroke-width: 1; } .axis { stroke: var(--soft); stroke-width: 1; }
.line { fill: none; stroke: var(--own); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.line.c1 { stroke-dasharray: 7 4; } .line.c2 { stroke-dasharray: 2 4; } .line.c3 { stroke-dasharray: 9 3 2 3; }
.dot { fill: var(--c0); fill-opacity: .55; } .mark { fill: var(--text); }
.ratio { font-size: 2rem; font-weight: 700; line-height: 1.2; font-variant-numeric: tabular-nums; }
.head { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 4px 14px; align-items: baseline; }
ul { margin: 6px 0; padding-left: 20px; }
@media (max-width: 560px) { main { padding: 18px 12px 36px; } .card { padding: 13px 13px; border-radius: 10px; } h1 { font-size: 1.3rem; } .bars { grid-template-columns: minmax(0, 1fr); gap: 2px; } .bars .name { max-width: none; }
  .bar { flex-wrap: wrap; gap: 1px 8px; margin-bottom: 8px; }
  .bar i { width: calc(var(--share) * 100%); height: 13px; } }
@media print { body { background: #fff; } .card { break-inside: avoid; } }
`;
