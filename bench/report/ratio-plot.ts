/** Ratios of the pairs of a comparison as dots on a line around 1, with the ratio of the medians as a mark. */

import type { Comparison } from '../result.ts';
import { escapeText } from './markup.ts';

const WIDTH = 400;
const HEIGHT = 56;
const MARGIN = 22;
const BASE = 30;

export function drawRatioPlot(comparison: Comparison): string {
  const { first, second, ratio, lowest, highest } = comparison;
  const reach = Math.max(0.05, ...[lowest, highest, ratio].map((value) => Math.abs(Math.log(value)))) * 1.15;
  const place = (value: number): string => {
    const share = (Math.log(value) + reach) / (2 * reach);
    return (MARGIN + Math.min(1, Math.max(0, share)) * (WIDTH - 2 * MARGIN)).toFixed(1);
  };
  const isHigherBetter = Math.abs(first.median / second.median - ratio) < 1e-9;
  const pairs = first.values.flatMap((value, index) => {
    const other = second.values[index];
    if (other === undefined) return [];
    return [isHigherBetter ? value / other : other / value];
  });
  const dots = pairs.map(
    (pair, index) =>
      `<circle class="dot" cx="${place(pair)}" cy="${BASE}" r="5"><title>pair ${index + 1}: ${pair.toFixed(3)}</title></circle>`,
  );
  const edges = [Math.exp(-reach), 1, Math.exp(reach)].map(
    (value) => `<text class="middle" x="${place(value)}" y="${HEIGHT - 4}">${value.toFixed(2)}</text>`,
  );
  const label = escapeText(`Ratios of ${pairs.length} pairs from ${lowest.toFixed(2)} to ${highest.toFixed(2)}`);
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}"><line class="axis" x1="${MARGIN}" x2="${WIDTH - MARGIN}" y1="${BASE}" y2="${BASE}"/><line class="axis" x1="${place(1)}" x2="${place(1)}" y1="10" y2="40"/>${dots.join('')}<path class="mark" d="M${place(ratio)} 20 l-6 -12 h12 z"><title>medians: ${ratio.toFixed(3)}</title></path>${edges.join('')}</svg>`;
}
