/**
 * Where things lie below StoreDir. Public content has its own path; everything of the server lies under `.hfs`, which
 * no key can name. A function of the key alone, so a look-up needs no index.
 */

import { hash } from 'node:crypto';
import { type FileKey, RESERVED_SEGMENT } from '../../shared/files.ts';
import { StorageError } from './storage-error.ts';

/** NAME_MAX of every file system that Linux servers use. */
const MAX_SEGMENT_BYTES = 255;
/** Below PATH_MAX (4,096) with room for the store directory. */
const MAX_PATH_BYTES = 3000;

export const STAGING = [RESERVED_SEGMENT, 'staging'] as const;
export const UPLOADS = [RESERVED_SEGMENT, 'uploads'] as const;
export const RECORDS = [RESERVED_SEGMENT, 'records'] as const;
export const VERSIONS = [RESERVED_SEGMENT, 'versions'] as const;
export const LONG_NAMES = [RESERVED_SEGMENT, 'long'] as const;
export const TOMBSTONES = [RESERVED_SEGMENT, 'tombstones'] as const;

/** Files of the store itself, in the reserved tree. */
export const FORMAT_FILE = 'format.json';
export const DIRTY_MARK = 'dirty';
export const LOCK_FILE = 'lock';

/** Lower-case hex SHA-256 of the bytes of the path: the name of everything that belongs to a key. */
export function hashOf(key: FileKey): string {
  return hash('sha256', key, 'hex');
}

/** Short name for logs: joins lines, opens nothing. */
export function fileIdOf(keyHash: string): string {
  return keyHash.slice(0, 12);
}

/** How many digits of the hash of its key the name of a staging file begins with. */
export const STAGING_PREFIX_DIGITS = 16;

/** Name of a staging file: tells recovery whose upload it was. `suffix` makes it unique. */
export function stagingName(keyHash: string, suffix: string): string {
  return `${keyHash.slice(0, STAGING_PREFIX_DIGITS)}.${suffix}`;
}

/** Where the content of a key lies: folders below StoreDir, then the name in the last of them. */
export interface Location {
  readonly folders: readonly string[];
  readonly name: string;
  /** True when the name is the hash, so that the real path must stand in a record. */
  readonly isLongName: boolean;
}

const noSegment = /(?:^|\/)\.{0,2}(?:\/|$)/;
const reservedTree = new RegExp(`^\\${RESERVED_SEGMENT}(?:/|$)`, 'i');

/**
 * A key whose segments and length fit is stored as it stands, any other under its hash. What main would never send is
 * checked once more, since every path on disk is made here. Errors: not-found.
 */
export function locate(key: FileKey, keyHash: string): Location {
  if (noSegment.test(key) || reservedTree.test(key) || key.includes('\0')) {
    throw new StorageError('not-found', 'not the name of a file');
  }
  if (!isLong(key)) {
    const folders = key.split('/');
    const name = folders.pop() ?? key;
    return { folders, name, isLongName: false };
  }
  return { folders: [...LONG_NAMES, keyHash.slice(0, 2)], name: keyHash, isLongName: true };
}

function isLong(key: string): boolean {
  // UTF-8 has at most 3 bytes for each UTF-16 unit: short names need no counting.
  if (key.length * 3 <= MAX_SEGMENT_BYTES) return false;
  if (Buffer.byteLength(key) > MAX_PATH_BYTES) return true;
  return key.split('/').some((segment) => Buffer.byteLength(segment) > MAX_SEGMENT_BYTES);
}

/** Folders that hold the records of a key. */
export function recordFolders(keyHash: string): readonly string[] {
  return [...RECORDS, keyHash.slice(0, 2), keyHash];
}

/** Folders that hold the tombstone of a key, which is named after its hash. */
export function tombstoneFolders(keyHash: string): readonly string[] {
  return [...TOMBSTONES, keyHash.slice(0, 2)];
}

/** Folders that hold the old contents of a key. */
export function versionFolders(keyHash: string): readonly string[] {
  return [...VERSIONS, keyHash.slice(0, 2), keyHash];
}
