/**
 * The folder in which the old contents of one key lie, named by their ids. Beside them `path` says whose they are; its
 * text is proven by the name of the folder, which is its hash.
 */

import { closeSync, constants, lstatSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import type { FileKey } from '../../../shared/files.ts';
import { type Folder, FolderVanished, inside } from '../folder.ts';
import { syncContent } from '../folder-sync.ts';
import { recordName } from '../record.ts';
import { attempt, errorNumberOf, toStorageError } from '../storage-error.ts';
import { hashOf } from '../store-layout.ts';
import { isVersionId } from './version-id.ts';

/** Whose versions these are. */
export const PATH_FILE = 'path';
const PATH_MODE = 0o600;
const REWRITE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/** The ids that are there, oldest first. */
export function versionIdsIn(folder: Folder): readonly string[] {
  const names = attempt('readdir versions', () => readdirSync(inside(folder, '.')));
  return names.filter(isVersionId).sort();
}

/** What the records of the versions are called, whether there are any or not. */
export function versionRecordsIn(folder: Folder): readonly string[] {
  return versionIdsIn(folder).flatMap((id) => {
    const stats = lstatSync(inside(folder, id), { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? [] : [recordName(stats.mtimeNs, stats.size)];
  });
}

/** Says whose versions these are, before the first of them is there. Errors: FolderVanished, no-space, io. */
export function writePath(folder: Folder, key: FileKey): void {
  const fd = openToWrite(inside(folder, PATH_FILE));
  try {
    attempt('write path', () => writeSync(fd, key));
  } finally {
    closeSync(fd);
  }
}

function openToWrite(path: string): number {
  try {
    return openSync(path, REWRITE, PATH_MODE);
  } catch (error) {
    if (errorNumberOf(error) === 'ENOENT') throw new FolderVanished('ENOENT open path', { cause: error });
    throw toStorageError(error, 'open path');
  }
}

/** Makes durable what `writePath` has written. */
export async function syncPath(folder: Folder): Promise<void> {
  const fd = attempt('open path', () => openSync(inside(folder, PATH_FILE), constants.O_RDONLY | constants.O_NOFOLLOW));
  try {
    await syncContent(fd);
  } finally {
    closeSync(fd);
  }
}

/** Whose versions these are; null when the text is not whole. */
export function readPath(folder: Folder, keyHash: string): FileKey | null {
  const path = inside(folder, PATH_FILE);
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true) return null;
  const text = attempt('read path', () => readFileSync(path, 'utf8')) as FileKey;
  return hashOf(text) === keyHash ? text : null;
}
