/** The result as a text for a terminal: one row per load, then errors, comparisons and marks. */

import { groupBy } from '../group-by.ts';
import { formatDecimal, formatMs } from '../quantity.ts';
import type { Comparison, Report } from '../result.ts';
import { LIMIT_WORDS } from './limit-text.ts';
import { formatThroughput, listErrors, type SummaryRow, summarize } from './summary.ts';

type Align = 'left' | 'right';

interface Column<T> {
  readonly title: string;
  readonly align: Align;
  readonly cell: (row: T) => string;
}

const ROW_COLUMNS: readonly Column<SummaryRow>[] = [
  { title: 'load', align: 'left', cell: (row) => row.load },
  { title: 'target', align: 'left', cell: (row) => row.target },
  { title: 'throughput', align: 'right', cell: formatThroughput },
  { title: 'requests', align: 'right', cell: (row) => formatDecimal(row.requestsPerSecond, '/s') },
  { title: 'p50', align: 'right', cell: (row) => formatMs(row.p50Ms) },
  { title: 'p90', align: 'right', cell: (row) => formatMs(row.p90Ms) },
  { title: 'p99', align: 'right', cell: (row) => formatMs(row.p99Ms) },
  { title: 'p99.9', align: 'right', cell: (row) => formatMs(row.p999Ms) },
  { title: 'max', align: 'right', cell: (row) => formatMs(row.maxMs) },
  { title: 'errors', align: 'right', cell: (row) => String(row.errors) },
  { title: 'CPU s/GB', align: 'right', cell: (row) => row.cpuSecondsPerGb?.toFixed(2) ?? '–' },
  {
    title: 'peak memory',
    align: 'right',
    cell: (row) => (row.peakResidentBytes === null ? '–' : formatDecimal(row.peakResidentBytes, 'B')),
  },
  { title: 'server CPU', align: 'right', cell: (row) => row.serverCores?.toFixed(2) ?? '–' },
  { title: 'gen. thread', align: 'right', cell: (row) => formatShare(row.generatorThread) },
  { title: 'limit', align: 'left', cell: (row) => LIMIT_WORDS[row.limit].short },
];

const COMPARISON_COLUMNS: readonly Column<Comparison>[] = [
  { title: 'load', align: 'left', cell: (row) => row.load },
  { title: 'metric', align: 'left', cell: (row) => row.metric },
  { title: 'first', align: 'left', cell: (row) => row.first.target },
  { title: 'second', align: 'left', cell: (row) => row.second.target },
  { title: 'ratio', align: 'right', cell: (row) => row.ratio.toFixed(3) },
  { title: 'of pairs', align: 'right', cell: (row) => `${row.lowest.toFixed(2)} … ${row.highest.toFixed(2)}` },
  { title: 'pairs', align: 'right', cell: (row) => String(row.first.values.length) },
  { title: 'enough', align: 'left', cell: (row) => (row.isEnough === null ? '–' : row.isEnough ? 'yes' : 'NO') },
];

function formatShare(share: number | null): string {
  return share === null ? '–' : `${Math.round(share * 100)} %`;
}

function drawTable<T>(columns: readonly Column<T>[], rows: readonly T[]): string {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ cell }) => cell(row)))];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index]?.length ?? 0)));
  const drawLine = (line: readonly string[]): string =>
    columns
      .map(({ align }, index) => {
        const text = line[index] ?? '';
        const width = widths[index] ?? 0;
        return align === 'left' ? text.padEnd(width) : text.padStart(width);
      })
      .join('  ')
      .trimEnd();
  const [head = [], ...body] = cells;
  return [drawLine(head), widths.map((width) => '─'.repeat(width)).join('──'), ...body.map(drawLine)].join('\n');
}

/** The whole report as text, with a line feed at its end. */
export function formatReport(report: Report): string {
  const { machine } = report;
  const rows = summarize(report.runs);
  const parts = [`${machine.cores} × ${machine.processor}, ${machine.system}, Node ${machine.node.slice(1)}`];
  for (const [folder, group] of groupBy(rows, (row) => row.folder)) {
    parts.push(`${folder}\n\n${drawTable(ROW_COLUMNS, group)}`);
  }
  for (const [folder, group] of groupBy(report.comparisons, (row) => row.folder)) {
    parts.push(`Medians on ${folder}, above 1: the first is better\n\n${drawTable(COMPARISON_COLUMNS, group)}`);
  }
  parts.push(...notes(report, rows));
  return `\n${parts.join('\n\n')}\n`;
}

function notes(report: Report, rows: readonly SummaryRow[]): string[] {
  const lines: string[] = [];
  for (const { where, kind, count } of listErrors(report.runs)) lines.push(`${count} × ${kind}: ${where}`);
  for (const limit of new Set(rows.map((row) => row.limit))) {
    lines.push(`${LIMIT_WORDS[limit].short}: ${LIMIT_WORDS[limit].meaning}`);
  }
  const others = Math.max(0, ...report.runs.map((run) => run.otherCores));
  if (others > 0.2) lines.push(`other processes used up to ${others.toFixed(1)} cores meanwhile`);
  const left = report.runs.reduce((sum, run) => sum + run.filesLeft, 0);
  if (left > 0) lines.push(`${left} files could not be deleted and are left on the target, below bench-…/`);
  return [lines.join('\n')];
}
