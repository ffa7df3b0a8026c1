/**
 * Deletion, in the order of a promise: the slot is closed, the name is gone and durably so, what went with the content is
 * removed, and only then the client hears of it. Broken off anywhere it is either not begun or finished by whoever looks
 * next, and the same request does all of it again.
 */

import { lstatSync, unlinkSync } from 'node:fs';
import type { DeletedFile, FileKey } from '../../shared/files.ts';
import { type CurrentFile, currentOf } from './current-of-key.ts';
import { closeAll, type Folder, findFolders, inside, type WayFolder } from './folder.ts';
import { forgetKey } from './forget-key.ts';
import { withFolder } from './own-folders.ts';
import { ownerOf } from './owner-quota.ts';
import { readRecord } from './record.ts';
import type { FileRecord } from './record-format.ts';
import { type StagingArea, syncWay } from './staging-area.ts';
import { attempt, StorageError } from './storage-error.ts';
import { hashOf, type Location, locate, versionFolders } from './store-layout.ts';
import { tombstoneFor } from './tombstone.ts';
import { versionIdsIn } from './versions/version-folder.ts';
import { markTouched } from './versions/versions.ts';

/** null: there was no such file, and that is durable. Errors: no-space, denied, io. */
export async function deleteContent(area: StagingArea, key: FileKey): Promise<DeletedFile | null> {
  const keyHash = hashOf(key);
  const release = await area.locks.acquire(keyHash);
  try {
    const current = currentOf(area.root, key, keyHash);
    const place = { key, keyHash, location: locate(key, keyHash) };
    if (current !== null) return await deleteCurrent(area, place, current);
    await finishEarlier(area, place);
    return null;
  } finally {
    release();
  }
}

interface Place {
  readonly key: FileKey;
  readonly keyHash: string;
  readonly location: Location;
}

async function deleteCurrent(area: StagingArea, place: Place, current: CurrentFile): Promise<DeletedFile | null> {
  const { key, keyHash, location } = place;
  const record = readRecord(area.root, keyHash, current.record, key);
  const way = existingWay(area.root, location.folders);
  try {
    const folder = way.at(-1) ?? area.root;
    const touched = markIfRoom(area, keyHash, { folder, name: location.name });
    try {
      await closeSlot(area, keyHash, record);
      attempt('unlink', () => unlinkSync(inside(folder, location.name)));
    } catch (error) {
      // The file keeps its slot closed, and may be replaced again.
      area.closedSlots.reopen(keyHash);
      touched.forget();
      throw error;
    }
    await syncWay(area, way);
    const old = oldContents(area.root, keyHash);
    forgetKey(area.root, keyHash, current.record);
    touched.forget();
    const freedBytes = current.sizeBytes + old.bytes;
    const owner = ownerOf(key, record?.owner ?? null);
    if (owner !== null && area.ownerUsage.limitBytes !== null) area.ownerUsage.change(owner, -freedBytes);
    return { sizeBytes: current.sizeBytes, versions: old.count, freedBytes };
  } finally {
    closeAll(way);
  }
}

/** A deletion makes room, so it must not fail for want of it. Without the mark a pass finds what a crash leaves. */
function markIfRoom(...content: Parameters<typeof markTouched>): ReturnType<typeof markTouched> {
  try {
    return markTouched(...content);
  } catch (error) {
    if (error instanceof StorageError && error.code === 'no-space') return { forget: () => {} };
    throw error;
  }
}

/** Durable before the name is gone: no crash may open the slot. */
async function closeSlot(area: StagingArea, keyHash: string, record: FileRecord | null): Promise<void> {
  const { closedSlots } = area;
  const tombstone = tombstoneFor(record, closedSlots.moment);
  const way = tombstone === null ? null : closedSlots.close(keyHash, tombstone);
  if (way === null) return;
  try {
    await syncWay(area, way);
  } finally {
    closeAll(way);
  }
}

/** A deletion, or an expiry, that was broken off after the name was gone, and may not have been durable. */
async function finishEarlier(area: StagingArea, { keyHash, location }: Place): Promise<void> {
  const way = existingWay(area.root, location.folders);
  try {
    if (area.durability === 'full') await area.folderSync.sync(way.at(-1) ?? area.root);
    forgetKey(area.root, keyHash, null);
  } finally {
    closeAll(way);
  }
}

/** The folders of the way that are there. */
function existingWay(root: Folder, names: readonly string[]): readonly WayFolder[] {
  for (let length = names.length; length > 0; length -= 1) {
    try {
      const way = findFolders(root, names.slice(0, length));
      if (way !== null) return way;
    } catch (error) {
      // A file or a link stands where a folder would be: nothing lies below it.
      if (!(error instanceof StorageError) || error.code !== 'path-conflict') throw error;
    }
  }
  return [];
}

function oldContents(root: Folder, keyHash: string): { readonly count: number; readonly bytes: number } {
  const sizes = withFolder(root, versionFolders(keyHash), (folder) =>
    versionIdsIn(folder).map((id) => lstatSync(inside(folder, id), { throwIfNoEntry: false })?.size ?? 0),
  );
  return { count: sizes?.length ?? 0, bytes: (sizes ?? []).reduce((sum, size) => sum + size, 0) };
}
