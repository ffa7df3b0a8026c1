/** What everything that writes into the store shares within one lane, and how a new entry is made durable. */

import type { ExpiryRule } from '../../shared/expiry-rule.ts';
import type { Durability } from '../../shared/files.ts';
import type { OwnerUsage } from '../../shared/owner-usage.ts';
import type { PathLocks } from '../../shared/path-locks.ts';
import type { ClosedSlots } from './closed-slots.ts';
import type { Folder, WayFolder } from './folder.ts';
import type { FolderSync } from './folder-sync.ts';
import type { FreeRoom } from './free-room.ts';
import type { RecentFolders } from './recent-folders.ts';

export interface StagingArea {
  readonly root: Folder;
  readonly staging: Folder;
  readonly room: FreeRoom;
  readonly folderSync: FolderSync;
  readonly folders: RecentFolders;
  /** Who makes a name, gives it to another content or removes it holds the lock of its path meanwhile. */
  readonly locks: PathLocks;
  /** Paths that no upload may take. */
  readonly closedSlots: ClosedSlots;
  readonly rule: ExpiryRule;
  readonly ownerUsage: OwnerUsage;
  readonly durability: Durability;
  /** The SHA-256 of every content is computed while it is written, and kept. */
  readonly storesDigest: boolean;
  /** Text that no other staging file of this store has in its name. */
  readonly newSuffix: () => string;
}

/**
 * Makes the new entry in the last folder durable, and the entries of all folders of the way that may not be. With that
 * entry in it no folder of the way is empty, so none is removed. Undefined: nothing has to be waited for.
 */
export function syncWay(area: StagingArea, way: readonly WayFolder[]): Promise<void> | undefined {
  return area.durability === 'full' ? syncFolders(area, way) : undefined;
}

async function syncFolders({ root, folderSync }: StagingArea, way: readonly WayFolder[]): Promise<void> {
  const { pruned } = folderSync;
  const uncertain = way.filter((folder) => folder.isNew || !folderSync.isKnownDurable(folder));
  const parents = uncertain.map((folder) => way[way.indexOf(folder) - 1] ?? root);
  await Promise.all([way.at(-1) ?? root, ...parents].map((folder) => folderSync.sync(folder)));
  for (const folder of uncertain) folderSync.markDurable(folder, pruned);
}
