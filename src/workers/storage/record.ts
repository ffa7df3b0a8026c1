/**
 * Records: what a file cannot say of itself, such as a stored type other than the one by extension, or the real path of
 * a long name. A record is named after the modification time and size of the content that it describes, so it never
 * describes another content; one that cannot be read or whose checksum is wrong counts as absent.
 */

import { closeSync, constants, fstatSync, openSync, readSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { type Folder, FolderVanished, inside, openFolders } from './folder.ts';
import { decodeRecord, encodeRecord, type FileRecord } from './record-format.ts';
import { attempt, errorNumberOf, toStorageError } from './storage-error.ts';
import { recordFolders } from './store-layout.ts';

const RECORD_MODE = 0o600;
const MAX_RECORD_BYTES = 64 * 1024;

/** Name of the record of the content with this modification time and size. */
export function recordName(mtimeNs: bigint, size: bigint | number): string {
  return `${mtimeNs}-${size}.json`;
}

/** The modification time in the name of a record; null for any other name. */
export function recordTime(name: string): bigint | null {
  const digits = /^([0-9]+)-[0-9]+\.json$/.exec(name)?.[1];
  return digits === undefined ? null : BigInt(digits);
}

/** Writes a new record into the open folder and returns its descriptor, not yet synced; null when the name is taken. */
export function createRecord(folder: Folder, name: string, record: FileRecord): number | null {
  const fd = openNew(inside(folder, name));
  if (fd === null) return null;
  try {
    const bytes = Buffer.from(encodeRecord(record));
    let written = 0;
    while (written < bytes.length) {
      const from = written;
      written += attempt('write record', () => writeSync(fd, bytes, from));
    }
    return fd;
  } catch (error) {
    closeSync(fd);
    removeRecord(folder, name);
    throw error;
  }
}

/** Takes a record back; one that cannot be removed describes a content that will never be there. */
export function removeRecord(folder: Folder, name: string): void {
  try {
    unlinkSync(inside(folder, name));
  } catch {
    // Harmless where it lies: nothing has its name.
  }
}

function openNew(path: string): number | null {
  try {
    return openSync(
      path,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      RECORD_MODE,
    );
  } catch (error) {
    const number = errorNumberOf(error);
    if (number === 'EEXIST') return null;
    if (number === 'ENOENT') throw new FolderVanished('ENOENT open record', { cause: error });
    throw toStorageError(error, 'open record');
  }
}

/** The record of exactly this content of this key; null when there is none. */
export function readRecord(root: Folder, hash: string, name: string, key: string): FileRecord | null {
  const folders = recordFolders(hash);
  // One cheap look first: most files have no record, and a thrown ENOENT costs far more than a stat.
  if (statSync(inside(root, folders.join('/')), { throwIfNoEntry: false }) === undefined) return null;
  const folder = openFolders(root, folders);
  if (folder === null) return null;
  try {
    const record = readRecordIn(folder, name);
    return record?.path === key ? record : null;
  } finally {
    closeSync(folder.fd);
  }
}

/** A record in its open folder, whoever's it is; null when there is none, or none that can be read. */
export function readRecordIn(folder: Folder, name: string): FileRecord | null {
  return decodeRecord(readWhole(inside(folder, name)));
}

function readWhole(path: string): string {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return '';
  const fd = openExisting(path);
  if (fd === null) return '';
  try {
    const { size } = fstatSync(fd);
    if (size > MAX_RECORD_BYTES) return '';
    const bytes = Buffer.alloc(size);
    const length = attempt('read record', () => readSync(fd, bytes, 0, size, 0));
    return bytes.toString('utf8', 0, length);
  } finally {
    closeSync(fd);
  }
}

/** null: it was removed a moment ago, with the content that it described. */
function openExisting(path: string): number | null {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errorNumberOf(error) === 'ENOENT') return null;
    throw toStorageError(error, 'open record');
  }
}
