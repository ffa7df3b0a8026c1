/**
 * Durations such as `1y30d12h`: numbers with a unit, added up. Strict, because a misread expiry deletes files: `10ms` and
 * `1M` are errors, not minutes.
 *
 *     duration = "" | "0" | 1*( 1*9DIGIT ( "s" | "m" | "h" | "d" | "w" | "y" ) )
 */

import { accepted, type Checked, refused } from './given-value.ts';

const SECONDS_PER_UNIT = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3_600],
  ['d', 86_400],
  ['w', 604_800],
  ['y', 31_536_000],
]);

export const MAX_DURATION_SECONDS = 100 * 31_536_000;

const RULE = 'a duration is a sum of numbers with the units s m h d w y, such as "30d", "90m" or "1y30d12h"';

/** Words that people write for a unit. */
const UNIT_WORDS: readonly (readonly [RegExp, string])[] = [
  [/^(?:s|secs?|seconds?)$/, 's'],
  [/^(?:m|mins?|minutes?)$/, 'm'],
  [/^(?:h|hrs?|hours?)$/, 'h'],
  [/^(?:d|days?)$/, 'd'],
  [/^(?:w|wks?|weeks?)$/, 'w'],
  [/^(?:y|yrs?|years?)$/, 'y'],
];

/** Seconds as a sum of years, days, hours, minutes and seconds: `34171200` is `1y30d12h`. */
export function formatDuration(seconds: number): string {
  let rest = seconds;
  let text = '';
  for (const unit of ['y', 'd', 'h', 'm', 's']) {
    const unitSeconds = SECONDS_PER_UNIT.get(unit) ?? 1;
    const count = Math.floor(rest / unitSeconds);
    rest -= count * unitSeconds;
    if (count > 0) text += `${count}${unit}`;
  }
  return text === '' ? '0' : text;
}

function unitOf(word: string): string | null {
  return UNIT_WORDS.find(([pattern]) => pattern.test(word))?.[1] ?? null;
}

/** The duration in our notation when the intention is plain; null otherwise. */
function guess(text: string): string | null {
  const parts = [...text.toLowerCase().matchAll(/(\d{1,9}(?:\.\d{1,3})?)\s*([a-z]+)[\s,]*/gy)];
  const covered = parts.reduce((length, [part]) => length + part.length, 0);
  if (parts.length === 0 || covered !== text.length) return null;
  let seconds = 0;
  for (const [, number = '', word = ''] of parts) {
    const unit = unitOf(word);
    if (unit === null) return null;
    seconds += Number(number) * (SECONDS_PER_UNIT.get(unit) ?? 1);
  }
  const isAccepted = Number.isInteger(seconds) && seconds > 0 && seconds <= MAX_DURATION_SECONDS;
  return isAccepted ? formatDuration(seconds) : null;
}

function explain(text: string): string {
  if (/^\d+$/.test(text)) {
    const unit = Number(text) <= 366 ? 'd' : 's';
    return `has no unit: did you mean "${text}${unit}"? ${RULE}`;
  }
  if (/^[+-]/.test(text)) return `has a sign; ${RULE}`;
  const [, badUnit] = /\d\s*(?![smhdwy](?:\d|$))([A-Za-z]+)/.exec(text) ?? [];
  // Months or minutes: only the writer knows.
  if (badUnit === 'M') return `has the unknown unit "M"; minutes are m, and months are written as days; ${RULE}`;
  const suggestion = guess(text);
  if (suggestion !== null) return `is not understood: did you mean "${suggestion}"? ${RULE}`;
  if (badUnit !== undefined) return `has the unknown unit "${badUnit}"; ${RULE}`;
  return `is not understood; ${RULE}`;
}

/**
 * The number of seconds; 0 for `""` and `"0"`.
 *
 * The message of a refusal continues a sentence: `has no unit: did you mean "30d"? ...`
 */
export function parseDuration(text: string): Checked<number> {
  if (text === '' || text === '0') return accepted(0);
  if (!/^(?:\d{1,9}[smhdwy])+$/.test(text)) return refused(explain(text));
  let seconds = 0;
  for (const [, number = '', unit = ''] of text.matchAll(/(\d+)([smhdwy])/g)) {
    seconds += Number(number) * (SECONDS_PER_UNIT.get(unit) ?? 0);
  }
  return seconds > MAX_DURATION_SECONDS ? refused('is more than 100 years') : accepted(seconds);
}
