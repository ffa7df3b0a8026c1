/** The store's own folders, opened for one piece of work each. Who runs in a short job keeps nothing open. */

import { readdirSync } from 'node:fs';
import { RESERVED_SEGMENT } from '../../shared/files.ts';
import { closeFolder, type Folder, inside, openFolders, openRoot } from './folder.ts';
import { attempt, StorageError } from './storage-error.ts';
import { STAGING } from './store-layout.ts';

/** Opens StoreDir for the time of `run`. */
export function withRoot<T>(storeDir: string, run: (root: Folder) => T): T {
  const root = openRoot(storeDir);
  try {
    return run(root);
  } finally {
    closeFolder(root);
  }
}

/** Opens `.hfs`. Errors: store-unavailable when there is none. */
export function withOwnTree<T>(root: Folder, run: (own: Folder) => T): T {
  return withExisting(root, [RESERVED_SEGMENT], run);
}

/** Opens the staging folder. Errors: store-unavailable when there is none. */
export function withStaging<T>(root: Folder, run: (staging: Folder) => T): T {
  return withExisting(root, STAGING, run);
}

/** Opens a folder by the names that lead to it; null when there is none. */
export function withFolder<T>(root: Folder, names: readonly string[], run: (folder: Folder) => T): T | null {
  const folder = openFolders(root, names);
  if (folder === null) return null;
  try {
    return run(folder);
  } finally {
    if (folder !== root) closeFolder(folder);
  }
}

/** What lies in a folder; nothing when there is none. */
export function namesIn(root: Folder, names: readonly string[]): readonly string[] {
  return withFolder(root, names, (folder) => attempt('readdir', () => readdirSync(inside(folder, '.')))) ?? [];
}

function withExisting<T>(root: Folder, names: readonly string[], run: (folder: Folder) => T): T {
  const result = withFolder(root, names, (folder) => ({ value: run(folder) }));
  if (result === null) throw new StorageError('store-unavailable', `no folder ${names.join('/')}`);
  return result.value;
}
