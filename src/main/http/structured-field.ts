/**
 * Structured fields (RFC 9651), as far as this server has a use for them. A field that does not parse, or is of another
 * type than the one that is asked for, counts as absent: null. The only importer of the library.
 */

import { parseDictionary, parseItem } from 'structured-headers';

/** A value in a dictionary: an integer, a byte sequence, or something that nobody here asks for. */
export type MemberValue = number | Uint8Array | null;

/** The parser makes `1.0` the number 1; a Decimal is not an Integer (RFC 9651 §3.3.2). */
const integerText = /^ *-?[0-9]+(?![0-9.])/;

/** The Boolean of an Item, whatever its parameters; null: the field is to be ignored. */
export function parseBooleanItem(value: string | null): boolean | null {
  const item = bareItemOf(value);
  return typeof item === 'boolean' ? item : null;
}

/** The Integer of an Item, whatever its parameters; null: the field is to be ignored. */
export function parseIntegerItem(value: string | null): number | null {
  if (value === null || !integerText.test(value)) return null;
  const item = bareItemOf(value);
  // -0 is an Integer, too.
  return typeof item === 'number' ? item + 0 : null;
}

/**
 * Members of a Dictionary, parameters left out; null: it does not parse.
 * @param values of all lines of the field, in order (RFC 9651 §4.2).
 */
export function parseMembers(values: readonly string[]): ReadonlyMap<string, MemberValue> | null {
  const text = values.filter((value) => value !== '').join(',');
  try {
    const members = new Map<string, MemberValue>();
    for (const [key, [value]] of parseDictionary(text)) members.set(key, memberOf(value));
    return members;
  } catch {
    // Its ParseError tells where; nobody asks.
    return null;
  }
}

function memberOf(value: unknown): MemberValue {
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  return value instanceof ArrayBuffer ? new Uint8Array(value) : null;
}

function bareItemOf(value: string | null): unknown {
  if (value === null) return null;
  try {
    const [item] = parseItem(value);
    return item;
  } catch {
    // Its ParseError tells where; nobody asks.
    return null;
  }
}
