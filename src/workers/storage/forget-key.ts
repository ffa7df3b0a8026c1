/**
 * What goes with a content that was removed: its record, the old contents and their records. The last name to go is the
 * one by which the key is found again, so that it may be broken off anywhere.
 */

import { unlinkSync } from 'node:fs';
import { type Folder, inside, removeIfEmpty } from './folder.ts';
import { withFolder } from './own-folders.ts';
import { errorNumberOf, toStorageError } from './storage-error.ts';
import { recordFolders, versionFolders } from './store-layout.ts';
import { PATH_FILE, versionIdsIn, versionRecordsIn } from './versions/version-folder.ts';

/** The caller holds the lock of the path, and no file has it. `record` belongs to the content that was removed. */
export function forgetKey(root: Folder, keyHash: string, record: string | null): void {
  withFolder(root, versionFolders(keyHash), (folder) => {
    // A record without a content would be left for ever: it goes first.
    removeFrom(root, recordFolders(keyHash), versionRecordsIn(folder));
    for (const id of versionIdsIn(folder)) unlinkIfThere(inside(folder, id));
  });
  removeFrom(root, recordFolders(keyHash), record === null ? [] : [record]);
  removeFrom(root, versionFolders(keyHash), [PATH_FILE]);
}

/** Removes the names, and the folder itself when nothing else is in it. */
export function removeFrom(root: Folder, folders: readonly string[], names: readonly string[]): void {
  withFolder(root, folders, (folder) => {
    for (const name of names) unlinkIfThere(inside(folder, name));
  });
  removeIfEmpty(root, folders.join('/'));
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errorNumberOf(error) !== 'ENOENT') throw toStorageError(error, 'unlink');
  }
}
