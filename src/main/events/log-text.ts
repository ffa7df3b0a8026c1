/**
 * Makes text from outside safe for a log line: short, printable, and without anything that would open a file or authorise
 * an upload.
 */

/** Longest value in a log line, in characters before escaping. */
export const MAX_VALUE_CHARS = 2048;

const NEEDS_NO_ESCAPE = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const NOT_PRINTABLE_ASCII = /[^\x20-\x7e]/g;
const QUERY = /\?[\w.~%-]+=[^\s"'<>]*/g;
const CREDENTIALS = /\b(Bearer|Basic|Digest)(\s+)[^\s"',;]+/gi;

/** Cuts text to `MAX_VALUE_CHARS`, and says how much is missing. */
export function cut(text: string): string {
  if (text.length <= MAX_VALUE_CHARS) return text;
  return `${text.slice(0, MAX_VALUE_CHARS)}...(${text.length - MAX_VALUE_CHARS} more)`;
}

/**
 * The text, cut, as a JSON string of printable ASCII (RFC 8259 §7). Control characters, terminal escapes, bidirectional
 * and invisible characters come out as `\uXXXX`, so nothing but the program that decodes the line ever sees them.
 */
export function jsonString(text: string): string {
  const short = cut(text);
  if (NEEDS_NO_ESCAPE.test(short)) return `"${short}"`;
  return JSON.stringify(short).replace(
    NOT_PRINTABLE_ASCII,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The path alone: what stands behind a `?` holds the signature. */
export function withoutQuery(path: string): string {
  const query = path.indexOf('?');
  return query === -1 ? path : path.slice(0, query);
}

/** Blots out queries and credentials in free text, such as messages of errors. Linear in its length. */
export function redact(text: string): string {
  return text.replace(QUERY, '?[redacted]').replace(CREDENTIALS, '$1$2[redacted]');
}
