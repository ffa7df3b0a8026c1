/**
 * Room for uploads: what could not be kept is refused before it is received. Whoever is let in is promised its bytes, so
 * that uploads beside each other cannot overshoot together. The file system is asked ten times a second at most.
 */

import { statfsSync } from 'node:fs';
import { type Folder, inside } from './folder.ts';
import type { PromisedBytes } from './promised-bytes.ts';
import { attempt, StorageError } from './storage-error.ts';

const MAX_AGE_MS = 100;

export interface RoomLimits {
  /** Bytes that must stay free. */
  readonly minFreeBytes: number;
  /** Inodes that must stay free. */
  readonly minFreeInodes: number;
}

export class FreeRoom {
  private readonly root: Folder;
  private readonly limits: RoomLimits;
  private readonly promised: PromisedBytes;
  private freeBytes = 0;
  /** Infinite on file systems without a fixed number of inodes. */
  private freeInodes = 0;
  private lookedMs = Number.NEGATIVE_INFINITY;

  constructor(root: Folder, limits: RoomLimits, promised: PromisedBytes) {
    this.root = root;
    this.limits = limits;
    this.promised = promised;
  }

  /** Promises room for `size` bytes; what is written or given up is kept no longer. Errors: no-space, io. */
  claim(size: number): void {
    this.promised.add(size);
    try {
      if (performance.now() - this.lookedMs > MAX_AGE_MS || !this.hasBytes()) this.look();
      if (!this.hasBytes()) throw new StorageError('no-space', 'less than MinFreeSpace would remain');
      if (this.freeInodes <= this.limits.minFreeInodes) {
        throw new StorageError('no-space', 'less than MinFreeInodes would remain');
      }
      this.freeInodes -= 1;
    } catch (error) {
      this.promised.add(-size);
      throw error;
    }
  }

  /** So many promised bytes have been written: they are used now. */
  keep(bytes: number): void {
    this.promised.add(-bytes);
    this.freeBytes -= bytes;
  }

  /** So many promised bytes will not be written. */
  release(bytes: number): void {
    this.promised.add(-bytes);
  }

  private hasBytes(): boolean {
    return this.freeBytes - this.promised.total() >= this.limits.minFreeBytes;
  }

  private look(): void {
    const { bavail, bsize, files, ffree } = attempt('statfs', () => statfsSync(inside(this.root, '.')));
    this.freeBytes = bavail * bsize;
    this.freeInodes = files > 0 ? ffree : Number.POSITIVE_INFINITY;
    this.lookedMs = performance.now();
  }
}
