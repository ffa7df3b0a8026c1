/**
 * Where things lie below StoreDir. Public content has its own path; everything of the server lies under `.hfs`, which
 * no key can name. A function of the key alone, so a look-up needs no index.
 */

import { createHash } from 'node:crypto';
import { type FileKey, RESERVED_SEGMENT } from '../../shared/files.ts';

/** NAME_MAX of every file system that Linux servers use. */
const MAX_SEGMENT_BYTES = 255;
/** Below PATH_MAX (4,096) with room for the store directory. */
const MAX_PATH_BYTES = 3000;

export const STAGING = [RESERVED_SEGMENT, 'staging'] as const;
export const RECORDS = [RESERVED_SEGMENT, 'records'] as const;
export const LONG_NAMES = [RESERVED_SEGMENT, 'long'] as const;

/** Lower-case hex SHA-256 of the bytes of the path: the name of everything that belongs to a key. */
export function hashOf(key: FileKey): string {
  return createHash('sha256').update(key, 'utf8').digest('hex');
}

/** Short name for logs: joins lines, opens nothing. */
export function fileIdOf(hash: string): string {
  return hash.slice(0, 12);
}

/** Where the content of a key lies: folders below StoreDir, then the name in the last of them. */
export interface Location {
  readonly folders: readonly string[];
  readonly name: string;
  /** True when the name is the hash, so that the real path must stand in a record. */
  readonly isLongName: boolean;
}

/** A key whose segments and length fit is stored as it stands, any other under its hash. */
export function locate(key: FileKey, hash: string): Location {
  if (!isLong(key)) {
    const folders = key.split('/');
    const name = folders.pop() ?? key;
    return { folders, name, isLongName: false };
  }
  return { folders: [...LONG_NAMES, hash.slice(0, 2)], name: hash, isLongName: true };
}

function isLong(key: string): boolean {
  // UTF-8 has at most 3 bytes for each UTF-16 unit: short names need no counting.
  if (key.length * 3 <= MAX_SEGMENT_BYTES) return false;
  if (Buffer.byteLength(key) > MAX_PATH_BYTES) return true;
  return key.split('/').some((segment) => Buffer.byteLength(segment) > MAX_SEGMENT_BYTES);
}

/** Folders that hold the records of a key. */
export function recordFolders(hash: string): readonly string[] {
  return [...RECORDS, hash.slice(0, 2), hash];
}
