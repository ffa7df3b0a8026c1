/**
 * Records: what a file cannot say of itself, such as a stored type other than the one by extension, or the real path of
 * a long name. A record is named after the modification time and size of the content that it describes, so it never
 * describes another content; one that cannot be read or whose checksum is wrong counts as absent.
 */

import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { type Folder, FolderVanished, inside, openFolders } from './folder.ts';
import { attempt, errorNumberOf, toStorageError } from './storage-error.ts';
import { recordFolders } from './store-layout.ts';

const FORMAT = 1;
const RECORD_MODE = 0o600;
const MAX_RECORD_BYTES = 64 * 1024;

export interface FileRecord {
  /** The key, always: a hash collision or a swapped record must not lend one file's words to another. */
  readonly path: string;
  readonly type: string | null;
}

/** Name of the record of the content with this modification time and size. */
export function recordName(mtimeNs: bigint, size: bigint | number): string {
  return `${mtimeNs}-${size}.json`;
}

function checksum(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex').slice(0, 16);
}

export function encodeRecord(record: FileRecord): string {
  const body = { v: FORMAT, path: record.path, type: record.type };
  return `${JSON.stringify({ ...body, check: checksum(JSON.stringify(body)) })}\n`;
}

/** null for anything but a whole record of this format. */
export function decodeRecord(text: string): FileRecord | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Torn or foreign: counts as absent, the file speaks for itself.
    return null;
  }
  if (!isRecordShape(value) || value.v !== FORMAT) return null;
  const { v, path, type } = value;
  if (checksum(JSON.stringify({ v, path, type })) !== value.check) return null;
  return { path, type };
}

interface RecordShape {
  readonly v: number;
  readonly path: string;
  readonly type: string | null;
  readonly check: string;
}

function isRecordShape(value: unknown): value is RecordShape {
  if (typeof value !== 'object' || value === null) return false;
  const shape = value as Partial<Record<keyof RecordShape, unknown>>;
  const hasType = shape.type === null || typeof shape.type === 'string';
  return typeof shape.v === 'number' && typeof shape.path === 'string' && hasType && typeof shape.check === 'string';
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
    const record = decodeRecord(readWhole(inside(folder, name)));
    return record?.path === key ? record : null;
  } finally {
    closeSync(folder.fd);
  }
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
