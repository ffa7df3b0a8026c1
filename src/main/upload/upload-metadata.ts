/**
 * Upload-Metadata (tus, Creation): pairs of a key and a Base64 value. The field is kept and given back as it came; it
 * is read only to refuse what is malformed, and for the type that the client names. Names in it never become a path.
 */

import { isBase64 } from '../http/base64.ts';
import { trimWhiteSpace } from '../http/fields.ts';

/** Visible ASCII without the comma: only that may stand in a field again. */
const metadataKey = /^[!-+\--~]+$/;
const controlCharacter = /\p{Cc}/u;

/** Keys under which clients name the type: the reference servers' first, then Uppy's. */
const typeKeys = ['filetype', 'type'] as const;
/** What JavaScript clients write for a type that they do not know. */
const unknownTypes: ReadonlySet<string> = new Set(['', 'null', 'undefined']);

/** Keys with their values, still in Base64 (empty: the key stands alone). null: a pair is malformed, or a key repeated. */
export function parseUploadMetadata(text: string): ReadonlyMap<string, string> | null {
  const pairs = new Map<string, string>();
  for (const item of text.split(',')) {
    const [key = '', value = '', ...rest] = trimWhiteSpace(item).split(' ');
    if (rest.length > 0 || !metadataKey.test(key) || !isBase64(value) || pairs.has(key)) return null;
    pairs.set(key, value);
  }
  return pairs;
}

/** The media type that the metadata names; null when it names none, or one with control characters. */
export function metadataType(pairs: ReadonlyMap<string, string>): string | null {
  for (const key of typeKeys) {
    const type = Buffer.from(pairs.get(key) ?? '', 'base64').toString('utf8');
    if (!unknownTypes.has(type) && !controlCharacter.test(type)) return type;
  }
  return null;
}
