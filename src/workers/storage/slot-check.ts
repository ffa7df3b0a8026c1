/** Whether a slot can still take a content, looked at before anything is received for it. */

import { lstatSync } from 'node:fs';
import { closeFolder, type Folder, inside, openFolders } from './folder.ts';
import { errorNumberOf, StorageError, toStorageError } from './storage-error.ts';
import type { Location } from './store-layout.ts';

/** What the commit will refuse is refused before its body is received; the commit decides for good. */
export function refuseWhenTaken(root: Folder, { folders, name }: Location, mayReplace: boolean): void {
  try {
    const found = lstatSync(inside(root, [...folders, name].join('/')), { throwIfNoEntry: false });
    // What lies behind a link is not ours, and nobody learns of it: the commit refuses the link itself.
    if (found === undefined || isBehindLink(root, folders)) return;
    if (!found.isFile()) throw new StorageError('path-conflict', 'no file');
    if (!mayReplace) throw new StorageError('exists', 'name is taken');
  } catch (error) {
    const number = errorNumberOf(error);
    if (number === 'ENOTDIR' || number === 'ELOOP') throw new StorageError('path-conflict', `${number} lstat`);
    throw toStorageError(error, 'lstat');
  }
}

function isBehindLink(root: Folder, folders: readonly string[]): boolean {
  try {
    const folder = openFolders(root, folders);
    if (folder !== null && folder !== root) closeFolder(folder);
    return false;
  } catch (error) {
    if (error instanceof StorageError && error.code === 'path-conflict') return true;
    throw error;
  }
}
