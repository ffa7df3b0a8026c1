/**
 * Slots that stay closed though no file is there. A tombstone is a file named after the hash of the path; those that
 * wait for the same secrets to be dropped are names of one and the same file, so that they take no inode and no block.
 */

import {
  closeSync,
  constants,
  fdatasyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import type { SecretIds } from '../../shared/secret-ids.ts';
import type { SharedFlag } from '../../shared/shared-flag.ts';
import { type Folder, FolderVanished, inside, useFolders, type WayFolder } from './folder.ts';
import { withFolder } from './own-folders.ts';
import { attempt, errorNumberOf, StorageError, toLossError, toStorageError } from './storage-error.ts';
import { TOMBSTONES, tombstoneFolders } from './store-layout.ts';
import { decodeTombstone, encodeTombstone, isOver, type SlotMoment, sharedName, type Tombstone } from './tombstone.ts';

const TOMBSTONE_MODE = 0o600;
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** A file with so many names that the file system takes no more is left to them, and another one is made. */
const MAX_ATTEMPTS = 8;

export interface ClosedSlotsContext {
  readonly root: Folder;
  readonly secretIds: SecretIds;
  /** Set before there is any tombstone: a store that has none costs uploads no look at the disk. */
  readonly mayExist: SharedFlag;
  /** Text that no other unfinished file of this store has in its name. */
  readonly newSuffix: () => string;
}

export class ClosedSlots {
  private readonly context: ClosedSlotsContext;

  constructor(context: ClosedSlotsContext) {
    this.context = context;
  }

  /** To be called once, before anything is asked: tombstones of former days count. */
  lookForTombstones(): void {
    if (isThere(inside(this.context.root, TOMBSTONES.join('/')))) this.context.mayExist.set(true);
  }

  /** For questions about tombstones. */
  get moment(): SlotMoment {
    return { secretIds: this.context.secretIds.all, nowMs: Date.now() };
  }

  /** True when no upload may take the path with this hash. Errors: too-many-files, io. */
  isClosed(keyHash: string): boolean {
    if (!this.context.mayExist.isSet) return false;
    const path = this.pathOf(keyHash);
    if (!isThere(path)) return false;
    const tombstone = readTombstone(path);
    // One that cannot be read keeps its slot closed: to open it would be the graver mistake.
    return tombstone === null || !isOver(tombstone, this.moment);
  }

  /**
   * Closes the slot; the caller holds the lock of its path, makes the folders durable and closes them. Null: there is no
   * room for a tombstone. A deletion makes room, so it must not fail for want of it.
   */
  close(keyHash: string, tombstone: Tombstone): readonly WayFolder[] | null {
    this.context.mayExist.set(true);
    try {
      return useFolders(this.context.root, tombstoneFolders(keyHash), (folder) => {
        if (!this.staysClosed(keyHash)) this.write(folder, keyHash, tombstone);
      }).way;
    } catch (error) {
      if (error instanceof StorageError && error.code === 'no-space') return null;
      throw error;
    }
  }

  /** Takes a tombstone away; one that stays does no harm beside a file. Never throws. */
  reopen(keyHash: string): void {
    try {
      unlinkSync(this.pathOf(keyHash));
    } catch {
      // It is looked at again when its time is over.
    }
  }

  private pathOf(keyHash: string): string {
    return inside(this.context.root, [...tombstoneFolders(keyHash), keyHash].join('/'));
  }

  /** By a tombstone that will not be over before any other. One that will is removed. */
  private staysClosed(keyHash: string): boolean {
    const path = this.pathOf(keyHash);
    if (!isThere(path)) return false;
    const found = readTombstone(path);
    if (found?.kind === 'secrets' && !isOver(found, this.moment)) return true;
    unlinkIfThere(path);
    return false;
  }

  private write(folder: Folder, keyHash: string, tombstone: Tombstone): void {
    if (tombstone.kind === 'until') writeDurably(folder, keyHash, encodeTombstone(tombstone));
    else this.linkShared(folder, keyHash, tombstone);
  }

  private linkShared(folder: Folder, keyHash: string, tombstone: Extract<Tombstone, { kind: 'secrets' }>): void {
    const shared = inside(this.context.root, [...TOMBSTONES, sharedName(tombstone.ids)].join('/'));
    for (let attempts = 1; ; attempts += 1) {
      try {
        if (readTombstone(shared) === null) this.makeShared(tombstone);
        linkSync(shared, inside(folder, keyHash));
        return;
      } catch (error) {
        const number = errorNumberOf(error);
        if (attempts === MAX_ATTEMPTS || (number !== 'ENOENT' && number !== 'EMLINK')) {
          throw toStorageError(error, 'link tombstone');
        }
        if (number === 'EMLINK') unlinkIfThere(shared);
      }
    }
  }

  /** Whole and durable before it has its name, and takes the place of one that cannot be read. */
  private makeShared(tombstone: Extract<Tombstone, { kind: 'secrets' }>): void {
    const name = sharedName(tombstone.ids);
    const draft = `${name}.${this.context.newSuffix()}.new`;
    const made = withFolder(this.context.root, TOMBSTONES, (folder) => {
      writeDurably(folder, draft, encodeTombstone(tombstone));
      attempt('rename tombstone', () => renameSync(inside(folder, draft), inside(folder, name)));
      return true;
    });
    if (made === null) throw new FolderVanished('no folder for tombstones');
  }
}

/** Most paths have no tombstone, and a thrown ENOENT costs far more than a stat. */
function isThere(path: string): boolean {
  return attempt('stat tombstone', () => statSync(path, { throwIfNoEntry: false })) !== undefined;
}

/** null: it is not there, or cannot be understood. */
export function readTombstone(path: string): Tombstone | null {
  try {
    return decodeTombstone(readFileSync(path, 'utf8'));
  } catch (error) {
    if (errorNumberOf(error) === 'ENOENT') return null;
    throw toStorageError(error, 'read tombstone');
  }
}

function writeDurably(folder: Folder, name: string, text: string): void {
  const fd = attempt('open tombstone', () => openSync(inside(folder, name), CREATE, TOMBSTONE_MODE));
  try {
    attempt('write tombstone', () => writeSync(fd, text));
    syncNow(fd);
  } catch (error) {
    unlinkIfThere(inside(folder, name));
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** At once, on this thread: it happens once for each set of secrets, and for deletions that follow an upload closely. */
function syncNow(fd: number): void {
  try {
    fdatasyncSync(fd);
  } catch (error) {
    throw toLossError(error, 'fdatasync tombstone');
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errorNumberOf(error) !== 'ENOENT') throw toStorageError(error, 'unlink tombstone');
  }
}
