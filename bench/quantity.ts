/**
 * Amounts as people write them: sizes (`64KiB`, `1.5GB`), durations (`500ms`, `5s`, `2m`), and the way back. Bytes and
 * milliseconds inside, always.
 */

/** An amount that cannot be read; the message names it. */
export class QuantityError extends Error {
  override readonly name = 'QuantityError';
}

const BYTE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  kb: 1e3,
  kib: 1024,
  m: 1024 ** 2,
  mb: 1e6,
  mib: 1024 ** 2,
  g: 1024 ** 3,
  gb: 1e9,
  gib: 1024 ** 3,
};

const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, '': 1e3, m: 60e3, min: 60e3 };

function parseWithUnits(text: string, units: Readonly<Record<string, number>>, what: string): number {
  const match = /^(\d+(?:\.\d+)?)([a-z]*)$/.exec(text.trim().toLowerCase());
  const factor = units[match?.[2] ?? '-'];
  if (match === null || factor === undefined) throw new QuantityError(`not a ${what}: "${text}"`);
  return Math.round(Number(match[1]) * factor);
}

/** Bytes of `64KiB`, `1MB`, `2g` (a bare letter is binary) or a plain number. */
export function parseBytes(text: string): number {
  return parseWithUnits(text, BYTE_UNITS, 'size');
}

/** Milliseconds of `500ms`, `5s`, `2m`; a plain number is seconds. */
export function parseDurationMs(text: string): number {
  return parseWithUnits(text, DURATION_UNITS, 'duration');
}

/** A number between bounds; `what` names it in the message. */
export function parseNumber(text: string, what: string, lowest: number, highest: number): number {
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= lowest && value <= highest)) {
    throw new QuantityError(`${what} must be between ${lowest} and ${highest}, not "${text}"`);
  }
  return value;
}

/** As `parseNumber`, whole numbers only. */
export function parseInteger(text: string, what: string, lowest: number, highest: number): number {
  const value = parseNumber(text, what, lowest, highest);
  if (!Number.isInteger(value)) throw new QuantityError(`${what} must be a whole number, not "${text}"`);
  return value;
}

const BINARY_STEPS: readonly (readonly [number, string])[] = [
  [1024 ** 3, 'GiB'],
  [1024 ** 2, 'MiB'],
  [1024, 'KiB'],
];

/** A size as a scenario spells it: exact binary units where they fit, bytes otherwise. */
export function formatSize(bytes: number): string {
  for (const [step, unit] of BINARY_STEPS) {
    if (bytes >= step && Number.isInteger((bytes / step) * 10)) return `${bytes / step} ${unit}`;
  }
  return bytes < 10_000 ? `${bytes} B` : formatDecimal(bytes, 'B');
}

/** Three significant digits with a decimal prefix: `1.42 G` + unit. */
export function formatDecimal(value: number, unit: string): string {
  const steps: readonly (readonly [number, string])[] = [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ];
  for (const [step, prefix] of steps) {
    if (value >= step * 0.9995) return `${trimDigits(value / step)} ${prefix}${unit}`;
  }
  return `${value === 0 ? '0' : trimDigits(value)} ${unit}`.trimEnd();
}

/** Microseconds, milliseconds or seconds with three significant digits; a dash for zero: nothing takes no time. */
export function formatMs(milliseconds: number): string {
  if (milliseconds === 0) return '–';
  if (milliseconds >= 999.5) return `${trimDigits(milliseconds / 1e3)} s`;
  if (milliseconds >= 1) return `${trimDigits(milliseconds)} ms`;
  return `${trimDigits(milliseconds * 1e3)} µs`;
}

function trimDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  if (value >= 9.995) return value.toFixed(1);
  return value.toFixed(2);
}
