/**
 * Old contents of a key: kept when a new one takes their place, and removed when there are too many. Everything here
 * runs under the lock of the path.
 */

import { linkSync, lstatSync, rmSync, unlinkSync } from 'node:fs';
import type { FileKey } from '../../../shared/files.ts';
import { closeAll, closeFolder, type Folder, inside, openFolders, useFolders } from '../folder.ts';
import { recordName } from '../record.ts';
import type { SettledContent } from '../settled-content.ts';
import { type StagingArea, syncWay } from '../staging-area.ts';
import { removeQuietly } from '../staging-file.ts';
import { errorNumberOf, StorageError, toStorageError } from '../storage-error.ts';
import { recordFolders, stagingName, versionFolders } from '../store-layout.ts';
import { syncPath, versionIdsIn, writePath } from './version-folder.ts';
import { nextVersionId } from './version-id.ts';

/** The current content, under its name, before another takes its place. */
export interface NamedContent {
  readonly folder: Folder;
  readonly name: string;
  readonly inode: bigint;
  /** What its record is called; null when it has none. */
  readonly record: string | null;
}

/** A current content that is ready to be replaced. */
export interface Retired {
  /** The version that it will be; null: it is not kept. */
  readonly versionId: string | null;
  /** It stays current after all. Never throws. */
  readonly takeBack: () => void;
  /** It has been replaced. Never throws. */
  readonly finish: () => void;
}

/**
 * Gives the current content a second name among the versions, durable before it loses the first. Errors: no-space,
 * path-conflict, io.
 */
export async function keepVersion(
  area: StagingArea,
  { key, keyHash }: Pick<SettledContent, 'key' | 'keyHash'>,
  current: NamedContent,
): Promise<Retired> {
  const names = versionFolders(keyHash);
  const { way, result } = useFolders(area.root, names, (folder) => linkOnce(folder, key, current));
  const { id, isFirst } = result;
  const takeBack = (): void => removeQuietly(inside(area.root, [...names, id].join('/')));
  try {
    if (isFirst && area.durability !== 'none') await syncPath(way.at(-1) ?? area.root);
    await syncWay(area, way);
    return { versionId: id, takeBack, finish: () => {} };
  } catch (error) {
    takeBack();
    throw error;
  } finally {
    closeAll(way);
  }
}

/** An attempt that was broken off may have kept this very content already: its entry is used again. */
function linkOnce(folder: Folder, key: FileKey, current: NamedContent): { id: string; isFirst: boolean } {
  const newest = versionIdsIn(folder).at(-1) ?? null;
  if (newest !== null && inodeOf(folder, newest) === current.inode) return { id: newest, isFirst: false };
  if (newest === null) writePath(folder, key);
  const id = nextVersionId(newest, Date.now());
  nameAgain(current, inside(folder, id));
  return { id, isFirst: newest === null };
}

/** Gives the current content a second name. */
function nameAgain({ folder, name }: Pick<NamedContent, 'folder' | 'name'>, path: string): void {
  try {
    linkSync(inside(folder, name), path);
  } catch (error) {
    // Removed by hand a moment ago: everybody else would hold the lock.
    if (errorNumberOf(error) === 'ENOENT') throw new StorageError('path-conflict', 'ENOENT link version');
    throw toStorageError(error, 'link version');
  }
}

function inodeOf(folder: Folder, name: string): bigint | null {
  return lstatSync(inside(folder, name), { bigint: true, throwIfNoEntry: false })?.ino ?? null;
}

/**
 * For a content that is not kept. Should its record outlive it, recovery finds the key by a second name among the
 * unfinished uploads. Errors: no-space, path-conflict, io.
 */
export function dropContent(area: StagingArea, keyHash: string, current: NamedContent): Retired {
  const { record } = current;
  if (record === null) return { versionId: null, takeBack: () => {}, finish: () => {} };
  const { forget } = markTouched(area, keyHash, current);
  const finish = (): void => {
    try {
      removeRecordOf(area.root, keyHash, record);
    } catch {
      // The mark stays with it, for recovery.
      return;
    }
    forget();
  };
  return { versionId: null, takeBack: forget, finish };
}

/**
 * Lets recovery find the key of a content that is about to lose its name, by a second name among the unfinished uploads.
 * `forget` removes it, and never throws. Errors: no-space, path-conflict, io.
 */
export function markTouched(
  area: StagingArea,
  keyHash: string,
  content: Pick<NamedContent, 'folder' | 'name'>,
): { readonly forget: () => void } {
  const witness = inside(area.staging, stagingName(keyHash, area.newSuffix()));
  nameAgain(content, witness);
  return { forget: () => removeQuietly(witness) };
}

/** A version that is gone. */
export interface RemovedVersion {
  readonly id: string;
  readonly sizeBytes: number;
}

/**
 * Removes the oldest versions beyond `keep`, each with its record; `currentRecord` is never removed. Returns
 * those that are gone. Never throws: what could not be removed is tried again the next time.
 */
export function trimVersions(
  root: Folder,
  keyHash: string,
  { keep, currentRecord }: { readonly keep: number; readonly currentRecord: string },
): readonly RemovedVersion[] {
  const removed: RemovedVersion[] = [];
  let folder: Folder | null = null;
  try {
    folder = openFolders(root, versionFolders(keyHash));
    if (folder === null) return [];
    const ids = versionIdsIn(folder);
    for (const id of ids.slice(0, Math.max(0, ids.length - keep))) {
      const stats = lstatSync(inside(folder, id), { bigint: true });
      const record = recordName(stats.mtimeNs, stats.size);
      // The record first: one without a content would be left for ever.
      if (record !== currentRecord) removeRecordOf(root, keyHash, record);
      unlinkSync(inside(folder, id));
      removed.push({ id, sizeBytes: Number(stats.size) });
    }
  } catch {
    // The new content is committed, and that is what the client is told.
  } finally {
    if (folder !== null) closeFolder(folder);
  }
  return removed;
}

/** Most contents have none. Throws when it is there and stays. */
function removeRecordOf(root: Folder, keyHash: string, name: string): void {
  rmSync(inside(root, [...recordFolders(keyHash), name].join('/')), { force: true });
}
