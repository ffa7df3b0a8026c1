/**
 * A value as somebody wrote it, before any key looked at it: the TOML types, told apart more finely than JavaScript does
 * (`1.0` is no integer), and the text for messages.
 */

/** The outcome of looking at one value. `message` continues a sentence: `is a string; write true without quotes`. */
export type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

export type GivenValue =
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'integer'; readonly value: number }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'array'; readonly items: readonly GivenValue[] }
  /** Types that no key takes; `text` is what was written. */
  | { readonly type: 'float' | 'date' | 'table' | 'large-integer'; readonly text: string };

const LONGEST_SHOWN = 60;
const FLOAT_TEXT = /^[+-]?(?:inf|nan|\d[\d_]*(?:\.|[eE]))/;

export function accepted<T>(value: T): Checked<T> {
  return { ok: true, value };
}

export function refused<T>(message: string): Checked<T> {
  return { ok: false, message };
}

/** A TOML basic string: everything that does not print is escaped. */
export function quote(text: string): string {
  const shown = text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}...` : text;
  return tomlString(shown);
}

/** A TOML basic string with the whole text. JSON's escapes are TOML's. */
export function tomlString(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A value in TOML's notation, on one line. */
export function formatGiven(given: GivenValue): string {
  switch (given.type) {
    case 'string':
      return quote(given.value);
    case 'integer':
    case 'boolean':
      return String(given.value);
    case 'array':
      return given.items.length > 4 ? '[...]' : `[${given.items.map(formatGiven).join(', ')}]`;
    case 'float':
    case 'date':
    case 'large-integer':
      return given.text;
    case 'table':
      return '{...}';
    default:
      return given satisfies never;
  }
}

/** The type in words, with its article. */
export function describeType(given: GivenValue): string {
  const words = {
    string: 'a string',
    integer: 'an integer',
    boolean: 'a boolean',
    array: 'an array',
    float: 'a number with a point or an exponent',
    date: 'a date',
    table: 'a table',
    'large-integer': 'an integer beyond 2^53',
  } as const;
  return words[given.type];
}

/**
 * @param value What the TOML library made of the text.
 * @param text The value as written: only it tells `1.0` from `1`.
 */
export function toGivenValue(value: unknown, text: string): GivenValue {
  if (typeof value === 'string') return { type: 'string', value };
  if (typeof value === 'boolean') return { type: 'boolean', value };
  if (typeof value === 'bigint') return { type: 'large-integer', text };
  if (typeof value === 'number') {
    return FLOAT_TEXT.test(text) ? { type: 'float', text } : { type: 'integer', value };
  }
  if (Array.isArray(value)) {
    return { type: 'array', items: value.map((item) => toGivenValue(item, String(item))) };
  }
  return { type: value instanceof Date ? 'date' : 'table', text };
}
