/**
 * The checks that keys are made of. Each takes a value as given and answers the checked one, or a message that continues
 * the sentence `Key = value ...` and says what to write instead.
 */

import { accepted, type Checked, describeType, type GivenValue, quote, refused } from './given-value.ts';
import { nearestName } from './nearest-name.ts';

export type Check<T> = (given: GivenValue) => Checked<T>;

/** `true` or `false`. */
export const checkBoolean: Check<boolean> = (given) => {
  if (given.type === 'boolean') return accepted(given.value);
  if (given.type === 'string') {
    const word = given.value.trim().toLowerCase();
    const wanted = word === 'true' || word === 'false' ? word : 'true or false';
    return refused(`is a string; write ${wanted} without quotes`);
  }
  if (given.type === 'integer' && given.value === 1) return refused('is an integer; write true');
  if (given.type === 'integer' && given.value === 0) return refused('is an integer; write false');
  return refused(`is ${describeType(given)}; write true or false`);
};

export interface IntegerRange {
  readonly min: number;
  readonly max: number;
  /** What is counted, for messages: `bytes`. */
  readonly unit: string;
}

const SIZE_PREFIXES = ' KMGT';

/** The bytes that a text such as `64MB` or `10 GiB` stands for in programs that take it; null: it is no size. */
function sizeInBytes(text: string): number | null {
  const [, digits, prefix = ' '] = /^(\d{1,6})\s*([KMGT])(?:i?B)?$/i.exec(text.trim()) ?? [];
  return digits === undefined ? null : Number(digits) * 1_024 ** SIZE_PREFIXES.indexOf(prefix.toUpperCase());
}

function refuseAsInteger(given: GivenValue, { unit }: IntegerRange): Checked<number> {
  if (given.type === 'string') {
    const digits = given.value.trim().replaceAll('_', '');
    if (/^\d{1,15}$/.test(digits)) return refused(`is a string; write ${digits} without quotes`);
    const bytes = unit === 'bytes' ? sizeInBytes(given.value) : null;
    if (bytes !== null) return refused(`is a string; write the number of bytes without quotes: ${bytes}`);
    return refused(`is a string; write a number of ${unit} without quotes`);
  }
  if (given.type === 'float' && Number.isSafeInteger(Number(given.text.replaceAll('_', '')))) {
    const whole = Number(given.text.replaceAll('_', ''));
    return refused(`is ${describeType(given)}; write ${whole}`);
  }
  return refused(`is ${describeType(given)}; write a whole number of ${unit}`);
}

/** A whole number within limits, both included. */
export function integerBetween(range: IntegerRange): Check<number> {
  return (given) => {
    if (given.type === 'large-integer') return refused(`is above ${range.max}`);
    if (given.type !== 'integer') return refuseAsInteger(given, range);
    if (given.value < range.min) return refused(`is below ${range.min}, the smallest number of ${range.unit}`);
    if (given.value > range.max) return refused(`is above ${range.max}, the largest number of ${range.unit}`);
    return accepted(given.value);
  };
}

/** A string; NUL, which no path and no secret can hold, is refused. The messages never hold the value: it may be a secret. */
export const checkText: Check<string> = (given) => {
  if (given.type === 'array') return refused('is an array; write one text in quotes');
  if (given.type === 'table') return refused('is a table; write one text in quotes');
  if (given.type !== 'string') return refused(`is ${describeType(given)}; write it in quotes`);
  return given.value.includes('\0') ? refused('contains a NUL character') : accepted(given.value);
};

/** Applies a second check to what the first one let through. */
export function andThen<A, B>(first: Check<A>, second: (value: A) => Checked<B>): Check<B> {
  return (given) => {
    const result = first(given);
    return result.ok ? second(result.value) : result;
  };
}

/** A path as written; resolved later. A control character in one is a backslash that became an escape. */
export const checkPath: Check<string> = andThen(checkText, (path) => {
  if (/\p{Cc}/u.test(path)) return refused('contains a control character; write \\\\ for a backslash');
  if (path.startsWith('~')) return refused('begins with ~, which only shells expand; write the whole path');
  return accepted(path);
});

/** One of some words, as they are written here. */
export function oneOf<T extends string>(...words: readonly [T, ...T[]]): Check<T> {
  const list = words.map((word) => `"${word}"`).join(', ');
  return andThen(checkText, (text) => {
    const word = words.find((candidate) => candidate === text);
    if (word !== undefined) return accepted(word);
    const nearest = nearestName(text, words);
    const hint = nearest === null ? '' : ` - did you mean "${nearest}"?`;
    return refused(`is not one of ${list}${hint}`);
  });
}

/** An array of strings. */
export const checkTexts: Check<readonly string[]> = (given) => {
  if (given.type === 'string') return refused('is a string; write an array: ["...", "..."]');
  if (given.type !== 'array') return refused(`is ${describeType(given)}; write an array: ["...", "..."]`);
  const texts: string[] = [];
  for (const [index, item] of given.items.entries()) {
    const text = checkText(item);
    if (!text.ok) return refused(`: entry ${index + 1} ${text.message}`);
    texts.push(text.value);
  }
  return accepted(texts);
};

/** A secret: any text that is more than white space. Its bytes are used as they are. */
export const checkSecret: Check<string> = andThen(checkText, (secret) => {
  if (secret === '')
    return refused('is empty; remove the line, and one is generated, or write one of 16 bytes or more');
  if (secret.trim() === '') return refused('consists of white space only');
  return accepted(secret);
});

/** At most four secrets. */
export const checkSecrets: Check<readonly string[]> = andThen(checkTexts, (secrets) => {
  if (secrets.length > 4) return refused(`has ${secrets.length} entries; at most 4 previous secrets are tried`);
  const blank = secrets.findIndex((secret) => secret.trim() === '');
  return blank === -1 ? accepted(secrets) : refused(`: entry ${blank + 1} is empty`);
});

/**
 * The extensions in lower case and without the dot; `''` stands for names without one. An entry with a path separator
 * or a wild card could never match and is a misunderstanding.
 */
export const checkExtensions: Check<readonly string[]> = andThen(checkTexts, (entries) => {
  const extensions: string[] = [];
  for (const entry of entries) {
    const extension = entry.replace(/^\./, '').toLowerCase();
    if (/[/*?\s]/.test(extension)) {
      return refused(`: ${quote(entry)} is no extension; write it as ".txt" or "txt", and [] to allow all`);
    }
    extensions.push(extension);
  }
  return accepted(extensions);
});
