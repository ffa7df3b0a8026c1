/**
 * Room for uploads: what could not be kept is refused before it is received. Whoever is let in is promised its bytes,
 * and what any lane has written since the last look at the file system is taken off, so that uploads beside each other
 * cannot overshoot together. The file system is asked ten times a second at most.
 */

import { statfsSync } from 'node:fs';
import type { Room, RoomLedger } from '../../shared/room-ledger.ts';
import { type Folder, inside } from './folder.ts';
import { attempt, StorageError } from './storage-error.ts';

const MAX_AGE_MS = 100;

export interface RoomLimits {
  /** Bytes that must stay free. */
  readonly minFreeBytes: number;
  /** Inodes that must stay free. */
  readonly minFreeInodes: number;
}

/** The file system at one moment, and how far the ledger was then. */
interface Look {
  readonly takenMs: number;
  /** Infinitely many files on file systems without a fixed number of inodes. */
  readonly free: Room;
  readonly used: Room;
}

export class FreeRoom {
  private readonly root: Folder;
  private readonly limits: RoomLimits;
  private readonly ledger: RoomLedger;
  private last: Look | null = null;

  constructor(root: Folder, limits: RoomLimits, ledger: RoomLedger) {
    this.root = root;
    this.limits = limits;
    this.ledger = ledger;
  }

  /** Promises room for a file of `size` bytes. Errors: no-space, io. */
  claim(size: number): void {
    this.promise(size, (look) => this.shortageOf(look));
  }

  /** Promises what somebody was let in with before. */
  adopt(bytes: number): void {
    this.ledger.promiseBytes(bytes);
  }

  /** The file that was promised room is made. */
  useFile(): void {
    this.ledger.useFile();
  }

  /**
   * Makes a folder or a record for a content that was let in: it needs an inode, whatever others have left of the bytes
   * meanwhile. Errors: no-space, io, and what `make` throws.
   */
  makeEntry<T>(make: () => T): T {
    this.promise(0, (look) => this.shortageOfFiles(look));
    try {
      const made = make();
      this.useFile();
      return made;
    } catch (error) {
      this.takeBack(0);
      throw error;
    }
  }

  /** It was not made: the whole promise ends. */
  takeBack(size: number): void {
    this.ledger.takeBack(size);
  }

  /** So many promised bytes have been written: they are used now. */
  keep(bytes: number): void {
    this.ledger.useBytes(bytes);
  }

  /** So many promised bytes will not be written. */
  release(bytes: number): void {
    if (bytes > 0) this.ledger.release(bytes);
  }

  private promise(size: number, shortageOf: (look: Look) => string | null): void {
    const { ledger } = this;
    // Counted before it is looked: of two lanes that do this at once, at least one sees the other.
    ledger.promise(size);
    try {
      const shortage = shortageOf(this.recentLook());
      if (shortage !== null && shortageOf(this.look()) !== null) throw new StorageError('no-space', shortage);
    } catch (error) {
      ledger.takeBack(size);
      throw error;
    }
  }

  /** What would be missing if all promises were kept; null: nothing. */
  private shortageOf(look: Look): string | null {
    const remaining = this.remaining(look);
    if (remaining.bytes < this.limits.minFreeBytes) return 'less than MinFreeSpace would remain';
    return this.shortageOfFiles(look, remaining);
  }

  private shortageOfFiles(look: Look, { files } = this.remaining(look)): string | null {
    return files < this.limits.minFreeInodes ? 'less than MinFreeInodes would remain' : null;
  }

  /** What would be left if all promises were kept. */
  private remaining({ free, used: before }: Look): Room {
    const { promised, used } = this.ledger;
    return {
      bytes: free.bytes - (used.bytes - before.bytes) - promised.bytes,
      files: free.files - (used.files - before.files) - promised.files,
    };
  }

  private recentLook(): Look {
    const { last } = this;
    return last !== null && performance.now() - last.takenMs <= MAX_AGE_MS ? last : this.look();
  }

  private look(): Look {
    // The ledger first: what is used between the two counts twice, never not at all.
    const { used } = this.ledger;
    const { bavail, bsize, files, ffree } = attempt('statfs', () => statfsSync(inside(this.root, '.')));
    const free = { bytes: bavail * bsize, files: files > 0 ? ffree : Number.POSITIVE_INFINITY };
    this.last = { takenMs: performance.now(), free, used };
    return this.last;
  }
}
