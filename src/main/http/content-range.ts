/**
 * Content-Range of a request (RFC 9110 §14.4): which bytes of the whole the body is. Only complete and consistent values
 * mean anything; a server that guessed would put bytes where they do not belong.
 */

import { parseDecimal } from './decimal.ts';
import type { ByteRange } from './range.ts';

export type PartialContent =
  /** The body is these bytes of a whole of `total` bytes: `0 <= first <= last < total`. */
  | { readonly kind: 'part'; readonly range: ByteRange; readonly total: number }
  /** `bytes *` `/total`: how much of the whole is there? */
  | { readonly kind: 'query'; readonly total: number }
  | { readonly kind: 'malformed' };

const malformed: PartialContent = { kind: 'malformed' };
const partSyntax = /^bytes ([0-9]{1,19})-([0-9]{1,19})\/([0-9]{1,19})$/i;
const querySyntax = /^bytes \*\/([0-9]{1,19})$/i;

/** Reads the value of a Content-Range that stands once. Never throws; linear in its length. */
export function parseContentRange(value: string): PartialContent {
  const [, queried] = querySyntax.exec(value) ?? [];
  if (queried !== undefined) {
    const total = parseDecimal(queried);
    return typeof total === 'number' ? { kind: 'query', total } : malformed;
  }
  const [, ...texts] = partSyntax.exec(value) ?? [];
  const [first, last, total] = texts.map(parseDecimal);
  if (typeof first !== 'number' || typeof last !== 'number' || typeof total !== 'number') return malformed;
  return first <= last && last < total ? { kind: 'part', range: { first, last }, total } : malformed;
}
