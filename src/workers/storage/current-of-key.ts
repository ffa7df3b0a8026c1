/** From a hash back to its path, and to the file that is current there: for those who find only what belongs to a key. */

import { lstatSync, readdirSync } from 'node:fs';
import type { FileKey } from '../../shared/files.ts';
import { type Folder, inside } from './folder.ts';
import { withFolder } from './own-folders.ts';
import { readRecordIn, recordName } from './record.ts';
import { attempt, StorageError } from './storage-error.ts';
import { hashOf, locate, recordFolders, versionFolders } from './store-layout.ts';
import { readPath } from './versions/version-folder.ts';

/** The regular file that has the name of a key. */
export interface CurrentFile {
  readonly inode: bigint;
  readonly sizeBytes: number;
  /** When anything about it has changed last, in milliseconds since the epoch. */
  readonly ctimeMs: number;
  /** What its record is called, if it has one. */
  readonly record: string;
}

/** The key stands beside its versions and in its records. null: nothing there can be read. */
export function keyOfHash(root: Folder, keyHash: string): FileKey | null {
  return (
    withFolder(root, versionFolders(keyHash), (folder) => readPath(folder, keyHash)) ??
    withFolder(root, recordFolders(keyHash), (folder) => keyInRecords(folder, keyHash))
  );
}

/** null when no file has the name. */
export function currentOf(root: Folder, key: FileKey, keyHash: string): CurrentFile | null {
  const { folders, name } = locate(key, keyHash);
  try {
    return withFolder(root, folders, (folder) => {
      const stats = lstatSync(inside(folder, name), { bigint: true, throwIfNoEntry: false });
      if (stats?.isFile() !== true) return null;
      const { ino: inode, mtimeNs, size, ctimeMs } = stats;
      return { inode, sizeBytes: Number(size), ctimeMs: Number(ctimeMs), record: recordName(mtimeNs, size) };
    });
  } catch (error) {
    // A file or a link stands where a folder was: no file has the name.
    if (error instanceof StorageError && error.code === 'path-conflict') return null;
    throw error;
  }
}

function keyInRecords(folder: Folder, keyHash: string): FileKey | null {
  for (const name of attempt('readdir records', () => readdirSync(inside(folder, '.')))) {
    const record = readRecordIn(folder, name);
    if (record !== null && hashOf(record.path as FileKey) === keyHash) return record.path as FileKey;
  }
  return null;
}
