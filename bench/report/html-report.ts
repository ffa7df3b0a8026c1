/**
 * The report as one HTML page that needs nothing else: plots are inline SVG, there is no script, and the page forbids itself to load
 * anything. Readable on a phone, in light and dark, and without colours.
 */

import { groupBy } from '../group-by.ts';
import { formatDecimal, formatMs } from '../quantity.ts';
import type { Comparison, Report } from '../result.ts';
import { LIMIT_WORDS } from './limit-text.ts';
import { drawLoadPlots } from './load-plots.ts';
import { escapeText } from './markup.ts';
import { PAGE_STYLE } from './page-style.ts';
import { drawRatioPlot } from './ratio-plot.ts';
import { formatThroughput, listErrors, type SummaryRow, summarize } from './summary.ts';

const COLOURS = 6;

/** Each target has one colour in the whole page. */
type ColourOf = (target: string) => number;

/** The page as text. */
export function formatHtml(report: Report): string {
  const rows = summarize(report.runs);
  const targets = [...new Set(rows.map((row) => row.target))];
  const colourOf: ColourOf = (target) => targets.indexOf(target) % COLOURS;
  const sections = [...groupBy(rows, (row) => row.folder)].map(([folder, group]) =>
    drawFolder(folder, group, report, colourOf),
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>Benchmark: ${escapeText(report.title)}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<main>
${drawHeader(report)}
${drawErrors(report)}
${sections.join('\n')}
${drawFooter(report, rows)}
</main>
</body>
</html>
`;
}

function drawHeader({ title, madeAt, command, machine, runs }: Report): string {
  const when = `${madeAt.slice(0, 16).replace('T', ' ')} UTC`;
  const memory = formatDecimal(machine.memoryBytes, 'B');
  const descriptions = new Map(runs.map((run) => [run.target, run.targetDescription]));
  const targets = [...descriptions].map(
    ([target, description]) => `<li><b>${escapeText(target)}</b>: ${escapeText(description)}</li>`,
  );
  return `<header><h1>${escapeText(title)}</h1>
<p class="soft">${when} · ${machine.cores} cores, ${escapeText(machine.processor)} · ${memory} memory · ${escapeText(machine.system)} · Node ${escapeText(machine.node.slice(1))}</p>
<p><code>${escapeText(command)}</code></p><ul class="soft">${targets.join('')}</ul></header>`;
}

function drawErrors(report: Report): string {
  const errors = listErrors(report.runs);
  if (errors.length === 0) return '';
  const items = errors.map(
    ({ where, kind, count }) => `<li><b>${count} × ${escapeText(kind)}</b>: ${escapeText(where)}</li>`,
  );
  return `<section class="card"><h3><span class="badge bad">Errors</span></h3><ul>${items.join('')}</ul></section>`;
}

function drawFolder(folder: string, rows: readonly SummaryRow[], report: Report, colourOf: ColourOf): string {
  const comparisons = report.comparisons.filter((comparison) => comparison.folder === folder);
  const loads = [...groupBy(rows, (row) => `${row.scenario}\n${row.load}`).values()];
  const title = folder === 'its own' ? 'Results' : `Results on ${folder}`;
  return `<h2>${escapeText(title)}</h2>
${comparisons.length === 0 ? '' : `<div class="grid2">${comparisons.map(drawComparison).join('')}</div><br>`}
<div class="card scroll">${drawTable(rows)}</div>
${loads.map((load) => drawLoad(load, colourOf)).join('\n')}`;
}

function drawComparison(comparison: Comparison): string {
  const { load, metric, first, second, ratio, lowest, highest, isEnough } = comparison;
  const verdict =
    isEnough === null
      ? ''
      : `<span class="badge ${isEnough ? 'good' : 'bad'}">${isEnough ? 'enough' : 'too low'}</span>`;
  return `<section class="card"><div class="head"><h3>${escapeText(load)}</h3>${verdict}</div>
<p class="soft">${escapeText(metric)}: ${escapeText(first.target)} against ${escapeText(second.target)}; above 1 the first is better</p>
<p class="ratio">${ratio.toFixed(2)}</p><p class="soft">medians of ${first.values.length} alternating pairs; single pairs ${lowest.toFixed(2)} to ${highest.toFixed(2)}</p>
${drawRatioPlot(comparison)}</section>`;
}

const TABLE_HEAD = [
  'Load',
  'Target',
  'Limit',
  'Throughput',
  'Requests',
  'p50',
  'p90',
  'p99',
  'p99.9',
  'max',
  'Errors',
  'CPU s/GB',
  'Peak memory',
  'Server CPU',
  'Gen. thread',
];

function drawTable(rows: readonly SummaryRow[]): string {
  const lines = rows.map((row) => {
    const cells = [
      drawLimit(row),
      formatThroughput(row),
      formatDecimal(row.requestsPerSecond, '/s'),
      ...[row.p50Ms, row.p90Ms, row.p99Ms, row.p999Ms, row.maxMs].map(formatMs),
      row.errors === 0 ? '0' : `<span class="badge bad">${row.errors}</span>`,
      row.cpuSecondsPerGb?.toFixed(2) ?? '–',
      row.peakResidentBytes === null ? '–' : formatDecimal(row.peakResidentBytes, 'B'),
      row.serverCores?.toFixed(2) ?? '–',
      row.generatorThread === null ? '–' : `${Math.round(row.generatorThread * 100)} %`,
    ];
    return `<tr><td>${escapeText(row.load)}</td><td>${escapeText(row.target)}</td>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  return `<table><thead><tr>${TABLE_HEAD.map((title) => `<th>${title}</th>`).join('')}</tr></thead><tbody>${lines.join('')}</tbody></table>`;
}

function drawLimit({ limit }: SummaryRow): string {
  const { short, meaning } = LIMIT_WORDS[limit];
  return `<span class="badge ${limit}" title="${escapeText(meaning)}">${short.toLowerCase()}</span>`;
}

function drawLoad(rows: readonly SummaryRow[], colourOf: ColourOf): string {
  const [first] = rows;
  if (first === undefined) return '';
  const hasBodies = first.operation !== 'head';
  const paceOf = (row: SummaryRow): number => (hasBodies ? row.bytesPerSecond : row.requestsPerSecond);
  const highest = Math.max(...rows.map(paceOf), 1e-9);
  const bars = rows.map((row) => {
    const text = hasBodies
      ? `${formatDecimal(row.bytesPerSecond, 'B/s')} · ${formatDecimal(row.requestsPerSecond, '/s')}`
      : formatDecimal(row.requestsPerSecond, '/s');
    const isDoubtful = row.limit === 'generator' || row.limit === 'others';
    return `<span class="name key c${colourOf(row.target)}">${escapeText(row.target)}</span><span class="bar c${colourOf(row.target)}${isDoubtful ? ' doubt' : ''}"><i style="--share:${(paceOf(row) / highest).toFixed(3)}"></i>${text}${isDoubtful ? ` ${drawLimit(row)}` : ''}</span>`;
  });
  const scenario = first.scenario === first.load ? '' : `<span class="soft">${escapeText(first.scenario)}</span>`;
  return `<section class="card"><div class="head"><h3>${escapeText(first.load)}</h3>${scenario}</div>
<div class="bars">${bars.join('')}</div>
<div class="plots">${drawLoadPlots(rows, colourOf)}</div></section>`;
}

function drawFooter(report: Report, rows: readonly SummaryRow[]): string {
  const limits = [...new Set(rows.map((row) => row.limit))].map(
    (limit) => `<li>${drawLimitWord(limit)} ${escapeText(LIMIT_WORDS[limit].meaning)}</li>`,
  );
  const others = Math.max(0, ...report.runs.map((run) => run.otherCores));
  const noise = others > 0.2 ? `<li>Other processes used up to ${others.toFixed(1)} cores meanwhile.</li>` : '';
  const most = Math.max(...rows.map((row) => row.runs), 1);
  const medians = most > 1 ? `<li>Figures are medians of ${most} runs; curves show the run in the middle.</li>` : '';
  return `<footer><h2>How to read this</h2><ul>${limits.join('')}${medians}${noise}
<li>Every answer was checked: status, length, every byte. What failed counts as an error and not as throughput.</li>
<li>Latency counts from sending a request, or from the time at which it was due where the rate is fixed, to the last byte of its answer.</li>
<li>CPU and memory are those of all processes of the server; shared pages count once for each.</li></ul></footer>`;
}

function drawLimitWord(limit: SummaryRow['limit']): string {
  return `<span class="badge ${limit}">${LIMIT_WORDS[limit].short.toLowerCase()}</span>`;
}
