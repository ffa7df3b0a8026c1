/**
 * What stands in a record, and how. The checksum covers everything else, so a record that is torn or changed, or of a
 * format that this version does not know, counts as absent.
 */

import { decodeChecked, encodeChecked } from './checked-json.ts';

export interface FileRecord {
  /** The key, always: a hash collision or a swapped record must not lend one file's words to another. */
  readonly path: string;
  /** Stored media type; null: the one that the extension gives. */
  readonly type: string | null;
  /** SHA-256 of the content in lower-case hex; null: not known. */
  readonly sha256: string | null;
  /** When the content expires of itself, in milliseconds since the epoch; null: as FileTTL says. */
  readonly expiresMs: number | null;
  /** Who uploaded the content; null: not known, or the path tells. */
  readonly owner: string | null;
  /** When its signature is good for nothing any more, in milliseconds since the epoch; null: when its secret is dropped. */
  readonly usableUntilMs: number | null;
}

/** Path and type alone. Older versions of the server can read it, so it is still written. */
const FORMAT_1 = 1;
/** With a digest, an expiry, or both. */
const FORMAT_2 = 2;
/** With an owner, the end of a signature, or both. */
const FORMAT_3 = 3;
const SHA256 = /^[0-9a-f]{64}$/;

export function encodeRecord(record: FileRecord): string {
  const { path, type, sha256, expiresMs, owner, usableUntilMs } = record;
  const body = {
    v: formatOf(record),
    path,
    type,
    ...(sha256 === null ? {} : { sha256 }),
    ...(expiresMs === null ? {} : { expires: expiresMs }),
    ...(owner === null ? {} : { owner }),
    ...(usableUntilMs === null ? {} : { until: usableUntilMs }),
  };
  return encodeChecked(body);
}

/** null for anything but a whole record of a known format. */
export function decodeRecord(text: string): FileRecord | null {
  const body = decodeChecked(text);
  return body === null ? null : fieldsOf(body);
}

function fieldsOf(body: object): FileRecord | null {
  const fields = body as Partial<Record<string, unknown>>;
  const { v, path, type, sha256 = null, expires: expiresMs = null, owner = null, until: usableUntilMs = null } = fields;
  if (typeof path !== 'string' || !isText(type) || !isDigest(sha256)) return null;
  if (!isTime(expiresMs) || !isText(owner) || !isTime(usableUntilMs)) return null;
  const record = { path, type, sha256, expiresMs, owner, usableUntilMs };
  return v === formatOf(record) ? record : null;
}

/** The oldest format that has room for it. */
function formatOf({ sha256, expiresMs, owner, usableUntilMs }: FileRecord): number {
  if (owner !== null || usableUntilMs !== null) return FORMAT_3;
  return sha256 === null && expiresMs === null ? FORMAT_1 : FORMAT_2;
}

function isText(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}

function isTime(value: unknown): value is number | null {
  return value === null || typeof value === 'number';
}

function isDigest(value: unknown): value is string | null {
  return value === null || (typeof value === 'string' && SHA256.test(value));
}
