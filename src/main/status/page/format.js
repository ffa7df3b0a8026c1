/** Figures as people read them: three digits that matter, and a unit. */

const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

function threeDigits(value) {
  if (value === 0) return '0';
  return value < 100 ? String(Number(value.toPrecision(3))) : String(Math.round(value));
}

/** `1.5 MB`; powers of a thousand. */
export function bytes(value) {
  if (value === null) return 'unknown';
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let size = Math.abs(value);
  let unit = 0;
  while (size >= 1_000 && unit < units.length - 1) {
    size /= 1_000;
    unit += 1;
  }
  return `${threeDigits(size)} ${units[unit]}`;
}

export function bytesPerSecond(value) {
  return `${bytes(value)}/s`;
}

export function perSecond(value) {
  return `${threeDigits(value)}/s`;
}

/** `1.2 ms`, `3.4 s`. */
export function milliseconds(value) {
  if (value === null) return '–';
  return value < 1_000 ? `${threeDigits(value)} ms` : `${threeDigits(value / 1_000)} s`;
}

/** `45 s`, `3 min`, `2 h 5 min`, `4 d 3 h`. */
export function seconds(value) {
  if (value < MINUTE) return `${Math.round(value)} s`;
  if (value < HOUR) return `${Math.floor(value / MINUTE)} min`;
  const [large, unit, rest, small] = value < DAY ? [HOUR, 'h', MINUTE, 'min'] : [DAY, 'd', HOUR, 'h'];
  return `${Math.floor(value / large)} ${unit} ${Math.floor((value % large) / rest)} ${small}`;
}

export function clockTime(ms) {
  return new Date(ms).toLocaleTimeString([], { hour12: false });
}
