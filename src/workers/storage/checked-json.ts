/**
 * JSON objects on disk that carry a checksum over everything else: one that is torn or changed counts as absent.
 */

import { createHash } from 'node:crypto';

/** One line of text. The fields of `body` keep their order. */
export function encodeChecked(body: object): string {
  return `${JSON.stringify({ ...body, check: checksum(body) })}\n`;
}

/** The object without its checksum; null for anything that `encodeChecked` has not written. */
export function decodeChecked(text: string): object | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Torn or foreign.
    return null;
  }
  if (typeof value !== 'object' || value === null || !('check' in value)) return null;
  const { check, ...body } = value;
  return checksum(body) === check ? body : null;
}

/** Over the body as it is written: parsing keeps the order of the fields. */
function checksum(body: object): string {
  return createHash('sha256').update(JSON.stringify(body), 'utf8').digest('hex').slice(0, 16);
}
