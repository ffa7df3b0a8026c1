/**
 * Removes contents that have expired: the slot is closed, the name removed, then, once the folder is durable without it,
 * what goes with it. One sync per folder and portion, and only where something goes with a file: without records and
 * versions a power cut can do no more than bring an expired file back, which is not found, and which the next pass
 * removes again. A file system that keeps the order of its changes, as the journals of ext4 and XFS do, never has the name
 * gone and the slot open.
 */

import { existsSync, fsyncSync, lstatSync, unlinkSync } from 'node:fs';
import type { Durability, FileKey } from '../../../shared/files.ts';
import type { PathLocks } from '../../../shared/path-locks.ts';
import type { ExpiredFile } from '../../../shared/sweep-report.ts';
import type { ClosedSlots } from '../closed-slots.ts';
import { currentOf } from '../current-of-key.ts';
import { closeAll, type Folder, inside } from '../folder.ts';
import { forgetKey } from '../forget-key.ts';
import { readRecord, recordName } from '../record.ts';
import { attempt, errorNumberOf, toStorageError } from '../storage-error.ts';
import { fileIdOf, hashOf, recordFolders, versionFolders } from '../store-layout.ts';
import { tombstoneFor } from '../tombstone.ts';

export interface RemovalContext {
  readonly root: Folder;
  readonly locks: PathLocks;
  readonly durability: Durability;
  readonly closedSlots: ClosedSlots;
}

/** A content whose name is gone, and what went with it not yet. */
interface Removed {
  readonly key: FileKey;
  readonly keyHash: string;
  readonly record: string;
}

export class ExpiredRemoval {
  private readonly context: RemovalContext;
  /** Open folders that have lost a name and are not durable without it. */
  private readonly changed = new Set<Folder>();
  private removed: Removed[] = [];
  private told: ExpiredFile[] = [];

  constructor(context: RemovalContext) {
    this.context = context;
  }

  /**
   * Removes the name, if the file still is what was seen and nobody works on it; the folder stays open until `settle`
   * or `settleFolder`. `isExpired` is asked for the time of its content. Returns whether it is gone.
   */
  remove(folder: Folder, name: string, key: FileKey, isExpired: (modifiedMs: number) => boolean): boolean {
    const keyHash = hashOf(key);
    const release = this.context.locks.tryAcquire(keyHash);
    if (release === null) return false;
    try {
      const stats = lstatSync(inside(folder, name), { bigint: true, throwIfNoEntry: false });
      // Looked at again: a fresh file may have taken the place of the old one.
      if (stats?.isFile() !== true || !isExpired(Number(stats.mtimeNs / 1_000_000n))) return false;
      const record = recordName(stats.mtimeNs, stats.size);
      this.closeSlot(key, keyHash, record);
      if (!unlinkIfPermitted(inside(folder, name))) return false;
      if (this.hasBelongings(keyHash)) {
        this.changed.add(folder);
        this.removed.push({ key, keyHash, record });
      }
      this.told.push({ fileId: fileIdOf(keyHash), sizeBytes: Number(stats.size) });
      return true;
    } finally {
      release();
    }
  }

  /** The folder is about to be closed. `isGone`: removed, so there is nothing in it to be made durable. */
  settleFolder(folder: Folder, isGone: boolean): void {
    if (this.changed.delete(folder) && !isGone) this.sync(folder);
  }

  /** The end of a portion: folders are made durable, then what goes with the removed contents is removed. */
  settle(): void {
    for (const folder of this.changed) this.sync(folder);
    this.changed.clear();
    for (const removed of this.removed.splice(0)) this.forget(removed);
  }

  /** What was removed since this was asked the last time. */
  takeTold(): readonly ExpiredFile[] {
    const { told } = this;
    this.told = [];
    return told;
  }

  /**
   * Before the name goes: nobody may put another file in its place with the signature of this one. Not synced: thousands
   * of names in hundreds of folders would make a pass take minutes.
   */
  private closeSlot(key: FileKey, keyHash: string, recordOfContent: string): void {
    const { root, closedSlots } = this.context;
    const tombstone = tombstoneFor(readRecord(root, keyHash, recordOfContent, key), closedSlots.moment);
    const way = tombstone === null ? null : closedSlots.close(keyHash, tombstone);
    if (way !== null) closeAll(way);
  }

  private hasBelongings(keyHash: string): boolean {
    const { root } = this.context;
    return [recordFolders(keyHash), versionFolders(keyHash)].some((names) => existsSync(inside(root, names.join('/'))));
  }

  /** A path that has a file again, or that somebody works on, is left to the look for leftovers. */
  private forget({ key, keyHash, record }: Removed): void {
    const { root, locks } = this.context;
    const release = locks.tryAcquire(keyHash);
    if (release === null) return;
    try {
      if (currentOf(root, key, keyHash) === null) forgetKey(root, keyHash, record);
    } finally {
      release();
    }
  }

  private sync(folder: Folder): void {
    if (this.context.durability === 'full') attempt('fsync folder', () => fsyncSync(folder.fd));
  }
}

/** False when it is gone already, or belongs to somebody else: one such file must not end the pass. */
function unlinkIfPermitted(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    const number = errorNumberOf(error);
    if (number === 'ENOENT' || number === 'EACCES' || number === 'EPERM') return false;
    throw toStorageError(error, 'unlink expired');
  }
}
