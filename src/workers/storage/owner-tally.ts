/** What a pass over the store finds of each owner, old contents included: the count that sets all others right. */

import { lstatSync } from 'node:fs';
import type { FileKey } from '../../shared/files.ts';
import type { OwnerId, OwnerUsage, UsageTally } from '../../shared/owner-usage.ts';
import { type Folder, inside } from './folder.ts';
import { withFolder } from './own-folders.ts';
import { ownerOf, ownerOfPath } from './owner-quota.ts';
import { readRecord, recordName } from './record.ts';
import { versionFolders } from './store-layout.ts';
import { versionIdsIn } from './versions/version-folder.ts';

export class OwnerTally {
  private readonly usage: OwnerUsage;
  private readonly isCounting: boolean;
  private readonly before: UsageTally;
  private readonly found = new Map<OwnerId, number>();
  /** What has changed since then is counted by whoever changed it. */
  private readonly beganMs = Date.now();

  constructor(usage: OwnerUsage) {
    this.usage = usage;
    this.isCounting = usage.limitBytes !== null;
    this.before = this.isCounting ? usage.stored : new Map();
  }

  /** A current content whose owner its path tells. */
  file(key: FileKey, stats: { readonly size: number; readonly ctimeMs: number }): void {
    if (this.isCounting) this.add(ownerOfPath(key), stats);
  }

  /** A current content with a record: its owner stands there, unless the path tells it. */
  described(key: FileKey, owner: string | null, stats: { readonly size: number; readonly ctimeMs: number }): void {
    if (this.isCounting && owner !== null && ownerOfPath(key) === null) this.add(ownerOf(key, owner), stats);
  }

  /** All old contents of a path. */
  versions(root: Folder, key: FileKey, keyHash: string): void {
    if (!this.isCounting) return;
    withFolder(root, versionFolders(keyHash), (folder) => {
      for (const id of versionIdsIn(folder)) {
        const stats = lstatSync(inside(folder, id), { bigint: true, throwIfNoEntry: false });
        if (stats === undefined) continue;
        const { mtimeNs, size, ctimeMs } = stats;
        const owner = readRecord(root, keyHash, recordName(mtimeNs, size), key)?.owner ?? null;
        this.add(ownerOf(key, owner), { size: Number(size), ctimeMs: Number(ctimeMs) });
      }
    });
  }

  /** The pass is complete. */
  finish(): void {
    if (this.isCounting) this.usage.correct(this.before, this.found);
  }

  private add(owner: OwnerId | null, { size, ctimeMs }: { readonly size: number; readonly ctimeMs: number }): void {
    if (owner === null || ctimeMs > this.beganMs) return;
    this.found.set(owner, (this.found.get(owner) ?? 0) + size);
  }
}
