/**
 * Says in plain words why a statement is no TOML, and what to write instead. Names keys, never values: a secret may stand
 * there.
 */

import { configKeyNames, findKey } from './config-schema.ts';
import { nearestName } from './nearest-name.ts';
import type { TomlStatement } from './toml-statements.ts';

export interface SyntaxFault {
  /** Offset within the statement. */
  readonly offset: number;
  readonly message: string;
}

interface ValueRule {
  readonly matches: RegExp;
  readonly says: (key: string, match: RegExpMatchArray) => string;
}

/** What people write where a TOML value belongs, most specific first. */
const valueRules: readonly ValueRule[] = [
  { matches: /^(?:#|$)/, says: (key) => `${key} has no value; remove the line or write one` },
  {
    matches: /^[\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb`\u00b4]/,
    says: (key) => `${key}: text needs straight quotes: ${key} = "..."`,
  },
  {
    matches: /^(true|false)\s*(?:#|$)/i,
    says: (key, [, word = '']) => `${key}: write ${word.toLowerCase()} in lower case`,
  },
  { matches: /^(?:yes|on|enabled?)\s*(?:#|$)/i, says: (key) => `${key}: write true` },
  { matches: /^(?:no|off|disabled?)\s*(?:#|$)/i, says: (key) => `${key}: write false` },
  { matches: /^[+-]?0\d+\s*(?:#|$)/, says: (key) => `${key}: a number must not begin with 0` },
  {
    matches: /^"""[\s\S]*\\|^"(?:[^"\\\n]|\\["\\bfnrtuU])*\\[^"\\bfnrtuU]/,
    says: (key) => `${key}: a backslash in "..." begins an escape; write \\\\ for one backslash, or use '...'`,
  },
  { matches: /^(?:"(?:[^"\\\n]|\\.)*|'[^'\n]*)$/, says: (key) => `${key}: the closing quote is missing` },
  { matches: /^["'][\s\S]*["'][\s\S]/, says: (key) => `${key}: unexpected text after the value` },
  { matches: /^\[/, says: (key) => `${key}: in an array, commas stand between the values and a ] at the end` },
  { matches: /^\{/, says: (key) => `${key}: tables are not used here; settings are flat: Key = value` },
  { matches: /^[^"'[{]/, says: (key) => `${key}: text needs quotes: ${key} = "..."` },
];

/**
 * The key that a broken line begins with, as it is spelt there; null when it resembles none of ours. Such a word is not
 * repeated: it may be the rest of a secret whose line was broken in two.
 */
function keyOf(text: string): string | null {
  const [found] = /^[A-Za-z0-9_-]+/.exec(text) ?? [];
  if (found === undefined) return null;
  return findKey(found) !== null || nearestName(found, configKeyNames) !== null ? found : null;
}

function explainMissingEquals(text: string): string {
  const key = keyOf(text);
  if (key === null) return 'expected a line of the form Key = value';
  return text.slice(key.length).trimStart().startsWith(':')
    ? `write = instead of : after ${key}`
    : `expected = after ${key}: every setting has the form Key = value`;
}

/** `Control characters ... are not allowed in comments`: true wherever it stands, and easily overlooked. */
function explainControlCharacter(reason: string): string | null {
  const found = /^Control characters .* are not allowed in (\w+), use (\\u00[0-9a-f]{2})/.exec(reason);
  return found === null ? null : `control character ${found[2]} in ${found[1]}; remove it`;
}

/**
 * @param errorOffset Where the library stopped, within the statement.
 * @param reason Its words, for the rare case that no rule fits.
 */
export function explainSyntaxError(statement: TomlStatement, errorOffset: number, reason: string): SyntaxFault {
  const { text, kind, valueOffset } = statement;
  const control = explainControlCharacter(reason);
  if (control !== null) return { offset: errorOffset, message: control };
  if (kind === 'table') return { offset: 0, message: 'this is no table header, and tables are not used here' };
  if (valueOffset === null) return { offset: 0, message: explainMissingEquals(text) };
  if (errorOffset <= (statement.equalsOffset ?? 0)) return { offset: errorOffset, message: explainMissingEquals(text) };
  const key = keyOf(text) ?? 'Key';
  const value = text.slice(valueOffset);
  if (!statement.isClosed && /^(?:"""|''')/.test(value)) {
    return {
      offset: valueOffset,
      message: `${key}: the multi-line text that begins here has no closing ${value.slice(0, 3)}`,
    };
  }
  if (!statement.isClosed && value.startsWith('[')) {
    return { offset: valueOffset, message: `${key}: the array that begins here has no closing ]` };
  }
  for (const rule of valueRules) {
    const match = rule.matches.exec(value);
    if (match !== null) return { offset: valueOffset, message: rule.says(key, match) };
  }
  return { offset: errorOffset, message: `${key}: ${reason}` };
}
