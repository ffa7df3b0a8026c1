/** A line chart as inline SVG: its colours come from the style sheet of the page, so it follows light and dark. */

import { escapeText } from './markup.ts';
import type { Scale } from './scale.ts';

export interface Series {
  readonly name: string;
  /** Index of its colour. */
  readonly colour: number;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface LineChart {
  readonly title: string;
  readonly x: Scale;
  readonly y: Scale;
  readonly formatX: (value: number) => string;
  readonly formatY: (value: number) => string;
  readonly series: readonly Series[];
}

/** Small enough that texts stay readable when the chart shrinks to the width of a phone. */
const WIDTH = 400;
const HEIGHT = 230;
const LEFT = 62;
const RIGHT = 14;
const TOP = 10;
const BOTTOM = 26;

function coordinate(value: number): string {
  return value.toFixed(1);
}

export function drawLineChart(chart: LineChart): string {
  const placeX = (value: number): number => LEFT + clamp(chart.x.place(value)) * (WIDTH - LEFT - RIGHT);
  const placeY = (value: number): number => HEIGHT - BOTTOM - clamp(chart.y.place(value)) * (HEIGHT - TOP - BOTTOM);
  const rows = chart.y.ticks.map((tick) => {
    const y = coordinate(placeY(tick));
    const label = `<text x="${LEFT - 6}" y="${y}" dy=".32em" class="end">${escapeText(chart.formatY(tick))}</text>`;
    return `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>${label}`;
  });
  const columns = chart.x.ticks.map((tick) => {
    const x = coordinate(placeX(tick));
    const text = escapeText(chart.formatX(tick));
    return `<line class="grid" x1="${x}" x2="${x}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/><text x="${x}" y="${HEIGHT - 8}" class="middle">${text}</text>`;
  });
  const lines = chart.series.map(({ name, colour, points }) => {
    const path = points.map(([x, y]) => `${coordinate(placeX(x))},${coordinate(placeY(y))}`).join(' ');
    return `<polyline class="line c${colour}" points="${path}"><title>${escapeText(name)}</title></polyline>`;
  });
  const label = escapeText(`${chart.title}: ${chart.series.map(({ name }) => name).join(', ')}`);
  return `<figure><figcaption>${escapeText(chart.title)}</figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">${rows.join('')}${columns.join('')}${lines.join('')}</svg></figure>`;
}

function clamp(place: number): number {
  return Number.isFinite(place) ? Math.min(1, Math.max(0, place)) : 0;
}
