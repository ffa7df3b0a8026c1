/** The plots of one load, a line per target: latency by quantile, and throughput, latency and memory over time. */

import { formatDecimal, formatMs } from '../quantity.ts';
import { drawLineChart, type Series } from './line-chart.ts';
import { linearScale, logScale, quantileScale, type Scale } from './scale.ts';
import type { SummaryRow } from './summary.ts';

type ColourOf = (target: string) => number;
type Point = readonly [x: number, y: number];

/** All plots that have something to show, as SVG figures. */
export function drawLoadPlots(rows: readonly SummaryRow[], colourOf: ColourOf): string {
  const series = (pick: (row: SummaryRow) => Point[]): Series[] =>
    rows.map((row) => ({ name: row.target, colour: colourOf(row.target), points: pick(row) }));
  const hasBodies = rows[0]?.operation !== 'head';
  const pace = series(({ typical }) =>
    typical.moments.map((moment) => [moment.atSeconds, hasBodies ? moment.bytesPerSecond : moment.requestsPerSecond]),
  );
  const tail = series(({ typical }) =>
    typical.moments.filter(({ p99Ms }) => p99Ms > 0).map(({ atSeconds, p99Ms }) => [atSeconds, p99Ms]),
  );
  const memory = series(({ typicalRun }) =>
    (typicalRun.server?.moments ?? []).map(({ atSeconds, residentBytes }) => [atSeconds, residentBytes]),
  );
  return [
    drawQuantiles(rows, colourOf),
    drawOverTime(hasBodies ? 'Throughput' : 'Requests', pace, linearScale(highestY(pace)), (value) =>
      formatDecimal(value, hasBodies ? 'B/s' : '/s'),
    ),
    drawOverTime('p99 of each quarter second', tail, logScale(lowestY(tail), highestY(tail)), formatMs),
    drawOverTime('Resident memory of the server', memory, linearScale(highestY(memory)), (value) =>
      formatDecimal(value, 'B'),
    ),
  ].join('');
}

function drawQuantiles(rows: readonly SummaryRow[], colourOf: ColourOf): string {
  const series: Series[] = rows.map(({ target, typical }) => ({
    name: target,
    colour: colourOf(target),
    points: typical.distribution.map(({ quantile, ms }): Point => [quantile, ms]),
  }));
  const quantiles = series.flatMap(({ points }) => points.map(([quantile]) => quantile).filter((each) => each < 1));
  if (series.every(({ points }) => points.length < 2)) return '';
  return drawLineChart({
    title: 'Latency by percentile',
    x: quantileScale(Math.max(0.99, ...quantiles)),
    y: logScale(lowestY(series), highestY(series)),
    formatX: (quantile) => `p${Number((quantile * 100).toFixed(3))}`,
    formatY: formatMs,
    series,
  });
}

function drawOverTime(title: string, series: readonly Series[], y: Scale, formatY: (value: number) => string): string {
  if (series.every(({ points }) => points.length < 2)) return '';
  const seconds = Math.max(...series.flatMap(({ points }) => points.map(([x]) => x)));
  return drawLineChart({
    title,
    x: linearScale(seconds),
    y,
    formatX: (value) => `${Number(value.toFixed(2))} s`,
    formatY,
    series,
  });
}

function highestY(series: readonly Series[]): number {
  return Math.max(0, ...series.flatMap(({ points }) => points.map(([, y]) => y)));
}

function lowestY(series: readonly Series[]): number {
  const values = series.flatMap(({ points }) => points.map(([, y]) => y)).filter((y) => y > 0);
  return values.length === 0 ? 0 : Math.min(...values);
}
