/**
 * What a crash or a lower MaxVersions leaves among the versions: an entry that is the current content, and more entries
 * than are kept. Nobody sees either, so it is looked for beside the running server, shard by shard.
 */

import { lstatSync, readdirSync, unlinkSync } from 'node:fs';
import type { PathLocks } from '../../../shared/path-locks.ts';
import type { TidiedShard } from '../../../shared/worker-jobs.ts';
import { type CurrentFile, currentOf, keyOfHash } from '../current-of-key.ts';
import { type Folder, inside } from '../folder.ts';
import { withFolder } from '../own-folders.ts';
import { attempt } from '../storage-error.ts';
import { fileIdOf, VERSIONS, versionFolders } from '../store-layout.ts';
import { versionIdsIn } from './version-folder.ts';
import { trimVersions } from './versions.ts';

export interface TidyOrder {
  /** The shard that was tidied last; null: begin. */
  readonly after: string | null;
  /** How many versions of a file are kept; null: all. */
  readonly keep: number | null;
}

/** Tidies one shard, the first after `after`. Files that are being replaced are left to whoever does that. */
export function tidyVersions(root: Folder, locks: PathLocks, { after, keep }: TidyOrder): TidiedShard {
  const shard = namesIn(root, VERSIONS).find((name) => after === null || name > after);
  if (shard === undefined) return { shard: null, removed: [] };
  const removed = namesIn(root, [...VERSIONS, shard]).flatMap((keyHash) => {
    const release = locks.tryAcquire(keyHash);
    if (release === null) return [];
    try {
      return tidyKey(root, keyHash, keep);
    } finally {
      release();
    }
  });
  return { shard, removed };
}

function tidyKey(root: Folder, keyHash: string, keep: number | null): TidiedShard['removed'] {
  const found = withFolder(root, versionFolders(keyHash), (folder) => {
    const ids = versionIdsIn(folder);
    return { count: ids.length, mayRepeat: hasOtherName(folder, ids.at(-1)) };
  });
  if (found === null) return [];
  const isTooMany = keep !== null && found.count > keep;
  if (!found.mayRepeat && !isTooMany) return [];
  const key = keyOfHash(root, keyHash);
  const current = key === null ? null : currentOf(root, key, keyHash);
  if (found.mayRepeat) withFolder(root, versionFolders(keyHash), (folder) => removeRepeated(folder, current));
  if (keep === null) return [];
  const removed = trimVersions(root, keyHash, { keep, currentRecord: current?.record ?? '' });
  return removed.map(({ id }) => ({ fileId: fileIdOf(keyHash), path: key ?? '', versionId: id }));
}

/** An overwrite that was broken off before its rename has given the current content a second name. */
export function removeRepeated(folder: Folder, current: CurrentFile | null): void {
  const newest = versionIdsIn(folder).at(-1);
  if (newest === undefined || current === null) return;
  const { ino } = lstatSync(inside(folder, newest), { bigint: true });
  if (ino === current.inode) attempt('unlink version', () => unlinkSync(inside(folder, newest)));
}

function hasOtherName(folder: Folder, id: string | undefined): boolean {
  return id !== undefined && lstatSync(inside(folder, id)).nlink > 1;
}

function namesIn(root: Folder, names: readonly string[]): readonly string[] {
  const list = (folder: Folder): string[] => attempt('readdir versions', () => readdirSync(inside(folder, '.')));
  return (withFolder(root, names, list) ?? []).sort();
}
