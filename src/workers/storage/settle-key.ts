/**
 * Brings what belongs to one key into agreement with its current content: a record that describes a content which no
 * name has is removed. Each step is safe by itself, so it may be broken off anywhere and done again.
 */

import { lstatSync, readdirSync, readFileSync, rmdirSync, unlinkSync } from 'node:fs';
import type { FileKey } from '../../shared/files.ts';
import { type Folder, inside } from './folder.ts';
import { withFolder } from './own-folders.ts';
import { decodeRecord, recordName } from './record.ts';
import { attempt, errorNumberOf, StorageError } from './storage-error.ts';
import { hashOf, type Location, locate, recordFolders } from './store-layout.ts';

/**
 * Returns how many records were removed. Nothing else may work on the key meanwhile: an upload writes its record before
 * its content has a name.
 */
export function settleKey(root: Folder, keyHash: string): number {
  const folders = recordFolders(keyHash);
  const removed = withFolder(root, folders, (folder) => {
    const names = attempt('readdir records', () => readdirSync(inside(folder, '.')));
    const key = keyOf(folder, names, keyHash);
    const current = key === null ? null : currentRecordName(root, locate(key, keyHash));
    const orphans = names.filter((name) => name !== current);
    for (const name of orphans) attempt('unlink record', () => unlinkSync(inside(folder, name)));
    return orphans.length;
  });
  if (removed === null) return 0;
  removeIfEmpty(root, folders);
  return removed;
}

/** The key itself stands in its records only. null: none of them can be read, so none of them describes anything. */
function keyOf(folder: Folder, names: readonly string[], keyHash: string): FileKey | null {
  for (const name of names) {
    const record = decodeRecord(attempt('read record', () => readFileSync(inside(folder, name), 'utf8')));
    if (record !== null && hashOf(record.path as FileKey) === keyHash) return record.path as FileKey;
  }
  return null;
}

/** What the record of the current content is called; null when no file has the name. */
function currentRecordName(root: Folder, { folders, name }: Location): string | null {
  try {
    return withFolder(root, folders, (folder) => {
      const stats = lstatSync(inside(folder, name), { bigint: true, throwIfNoEntry: false });
      return stats?.isFile() === true ? recordName(stats.mtimeNs, stats.size) : null;
    });
  } catch (error) {
    // A file or a link stands where a folder was: no file has the name.
    if (error instanceof StorageError && error.code === 'path-conflict') return null;
    throw error;
  }
}

function removeIfEmpty(root: Folder, folders: readonly string[]): void {
  try {
    rmdirSync(inside(root, folders.join('/')));
  } catch (error) {
    const number = errorNumberOf(error);
    if (number !== 'ENOTEMPTY' && number !== 'EEXIST' && number !== 'ENOENT') throw error;
  }
}
