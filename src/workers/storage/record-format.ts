/**
 * What stands in a record, and how. The checksum covers everything else, so a record that is torn or changed, or of a
 * format that this version does not know, counts as absent.
 */

import { createHash } from 'node:crypto';

export interface FileRecord {
  /** The key, always: a hash collision or a swapped record must not lend one file's words to another. */
  readonly path: string;
  /** Stored media type; null: the one that the extension gives. */
  readonly type: string | null;
  /** SHA-256 of the content in lower-case hex; null: not known. */
  readonly sha256: string | null;
}

/** Without a digest. Older versions of the server can read it, so it is still written. */
const FORMAT_1 = 1;
const FORMAT_2 = 2;
const SHA256 = /^[0-9a-f]{64}$/;

export function encodeRecord({ path, type, sha256 }: FileRecord): string {
  const body = sha256 === null ? { v: FORMAT_1, path, type } : { v: FORMAT_2, path, type, sha256 };
  return `${JSON.stringify({ ...body, check: checksum(body) })}\n`;
}

/** null for anything but a whole record of a known format. */
export function decodeRecord(text: string): FileRecord | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Torn or foreign: the file speaks for itself.
    return null;
  }
  if (typeof value !== 'object' || value === null || !('check' in value)) return null;
  const { check, ...body } = value;
  return checksum(body) === check ? fieldsOf(body) : null;
}

function fieldsOf(body: object): FileRecord | null {
  const { v, path, type, sha256 = null } = body as Partial<Record<'v' | keyof FileRecord, unknown>>;
  if (typeof path !== 'string' || !(type === null || typeof type === 'string')) return null;
  if (v === FORMAT_1 && sha256 === null) return { path, type, sha256 };
  const isDigest = typeof sha256 === 'string' && SHA256.test(sha256);
  return v === FORMAT_2 && isDigest ? { path, type, sha256 } : null;
}

/** Over the body as it is written: parsing keeps the order of the fields. */
function checksum(body: object): string {
  return createHash('sha256').update(JSON.stringify(body), 'utf8').digest('hex').slice(0, 16);
}
