/**
 * Brings what belongs to one key into agreement with its contents: a version that is the current content, and a record
 * that describes a content which no name has, are removed. Each step is safe by itself, so it may be broken off anywhere
 * and done again.
 */

import { readdirSync, unlinkSync } from 'node:fs';
import { type CurrentFile, currentOf, keyOfHash } from './current-of-key.ts';
import { type Folder, inside, removeIfEmpty } from './folder.ts';
import { forgetKey } from './forget-key.ts';
import { withFolder } from './own-folders.ts';
import { attempt } from './storage-error.ts';
import { recordFolders, versionFolders } from './store-layout.ts';
import { removeRepeated } from './versions/tidy-versions.ts';
import { versionRecordsIn } from './versions/version-folder.ts';

/**
 * Returns how many records were removed. Nothing else may work on the key meanwhile: an upload writes its record before
 * its content has a name.
 */
export function settleKey(root: Folder, keyHash: string): number {
  const key = keyOfHash(root, keyHash);
  const current = key === null ? null : currentOf(root, key, keyHash);
  // At no instant is there a version without a current file, except while one is deleted: that is brought to its end.
  if (key !== null && current === null) forgetKey(root, keyHash, null);
  withFolder(root, versionFolders(keyHash), (folder) => removeRepeated(folder, current));
  return removeOrphans(root, keyHash, current);
}

function removeOrphans(root: Folder, keyHash: string, current: CurrentFile | null): number {
  const folders = recordFolders(keyHash);
  const removed = withFolder(root, folders, (folder) => {
    const orphans = orphanRecords(root, folder, { keyHash, current });
    for (const name of orphans) attempt('unlink record', () => unlinkSync(inside(folder, name)));
    return orphans.length;
  });
  if (removed === null) return 0;
  removeIfEmpty(root, folders.join('/'));
  return removed;
}

/** Names in the folder of a key's records that describe neither its current content nor a version. */
export function orphanRecords(
  root: Folder,
  folder: Folder,
  { keyHash, current }: { readonly keyHash: string; readonly current: CurrentFile | null },
): readonly string[] {
  const described = new Set(withFolder(root, versionFolders(keyHash), versionRecordsIn) ?? []);
  if (current !== null) described.add(current.record);
  const names = attempt('readdir records', () => readdirSync(inside(folder, '.')));
  return names.filter((name) => !described.has(name));
}
