/** Axes: where a value lies, and which round values get a tick. */

export interface Scale {
  /** Place of a value between 0 (start of the axis) and 1 (its end). */
  readonly place: (value: number) => number;
  readonly ticks: readonly number[];
}

const WANTED_TICKS = 5;

/** From zero to at least `highest`, in steps of 1, 2 or 5 times a power of ten. */
export function linearScale(highest: number): Scale {
  const top = highest > 0 ? highest : 1;
  const raw = top / WANTED_TICKS;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10);
  const count = Math.ceil(top / step - 1e-9);
  const end = count * step;
  return {
    place: (value) => value / end,
    ticks: Array.from({ length: count + 1 }, (_, index) => index * step),
  };
}

/** From a power of ten below `lowest` to one above `highest`, a tick at each; with few of them also at 2 and 5. */
export function logScale(lowest: number, highest: number): Scale {
  const low = Math.max(lowest, 1e-3);
  const start = Math.floor(Math.log10(low) + 1e-9);
  const end = Math.max(start + 1, Math.ceil(Math.log10(Math.max(highest, low)) - 1e-9));
  const factors = end - start <= 2 ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let exponent = start; exponent < end; exponent += 1) {
    for (const factor of factors) ticks.push(factor * 10 ** exponent);
  }
  ticks.push(10 ** end);
  return { place: (value) => (Math.log10(Math.max(value, 10 ** start)) - start) / (end - start), ticks };
}

/** Quantiles spread by the number of nines: 0.5, 0.9, 0.99 … each as far from the next. */
export function quantileScale(highest: number): Scale {
  const ninesOf = (quantile: number): number => -Math.log10(Math.max(1e-9, 1 - quantile));
  const end = Math.max(2, ninesOf(Math.min(highest, 1 - 1e-6)));
  return {
    place: (quantile) => Math.min(1, ninesOf(quantile) / end),
    ticks: [0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999].filter((tick) => ninesOf(tick) <= end + 1e-9),
  };
}
