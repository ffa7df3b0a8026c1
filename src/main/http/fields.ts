/**
 * Looking things up in a request's field lines, and the guard in front of every response field. Names are compared in
 * lower case, as the port delivers them; repeated lines stay apart until somebody asks for a list.
 */

import type { FieldLine } from './field-line.ts';

type FieldLines = readonly FieldLine[];

/** Value of the first line with that (lower-case) name; null without one. */
export function firstValue(fields: FieldLines, name: string): string | null {
  for (const line of fields) if (line.name === name) return line.value;
  return null;
}

/** Values of all lines with that name, in order. */
export function allValues(fields: FieldLines, name: string): readonly string[] {
  const values: string[] = [];
  for (const line of fields) if (line.name === name) values.push(line.value);
  return values;
}

/** How many lines have that name. */
export function countLines(fields: FieldLines, name: string): number {
  let count = 0;
  for (const line of fields) if (line.name === name) count += 1;
  return count;
}

/** True when a field of which two readers could take different lines stands more than once (RFC 9110 §5.3). */
export function isAnyRepeated(fields: FieldLines, names: ReadonlySet<string>): boolean {
  for (const { name } of fields) if (names.has(name) && countLines(fields, name) > 1) return true;
  return false;
}

/** Value of a field that may stand once only; null when it is absent, and also when it is repeated (RFC 9110 §5.3). */
export function soleValue(fields: FieldLines, name: string): string | null {
  return countLines(fields, name) === 1 ? firstValue(fields, name) : null;
}

/**
 * Members of a list-based field over all its lines (RFC 9110 §5.6.1): empty members are dropped, surrounding white space
 * is removed, a comma inside a quoted string separates nothing. Linear in the length of the values.
 */
export function listMembers(fields: FieldLines, name: string): readonly string[] {
  const members: string[] = [];
  for (const line of fields) if (line.name === name) collectMembers(line.value, members);
  return members;
}

function collectMembers(value: string, members: string[]): void {
  let start = 0;
  while (start <= value.length) {
    const end = endOfMember(value, start);
    const member = trimWhiteSpace(value.slice(start, end));
    if (member !== '') members.push(member);
    start = end + 1;
  }
}

/** Index of the comma that ends the member beginning at `start`, or the length of the value. */
function endOfMember(value: string, start: number): number {
  let isQuoted = false;
  for (let at = start; at < value.length; at += 1) {
    const character = value[at];
    if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted && character === '\\') at += 1;
    else if (!isQuoted && character === ',') return at;
  }
  return value.length;
}

function isWhiteSpace(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}

/** Removes OWS (space and tab, RFC 9110 §5.6.3) and nothing else: `trim()` would take Unicode spaces as well. */
export function trimWhiteSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhiteSpace(text[start])) start += 1;
  while (end > start && isWhiteSpace(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

const fieldName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const fieldValue = /^[\t\x20-\x7e]*$/;

/**
 * Guards what is about to be written as a response field: the name a token, the value tabs and visible ASCII. The
 * transport writes CR, LF and NUL as they are, which would let a value end the head (RFC 9110 §5.5).
 * @throws TypeError without the offending text, which would only travel on into a log.
 */
export function safeField(name: string, value: string): void {
  if (!fieldName.test(name)) throw new TypeError('Unsafe response field name');
  if (!fieldValue.test(value)) throw new TypeError(`Unsafe value of response field ${name}`);
}
