/**
 * Makes folder entries durable, with one sync at a time for each folder: who comes while a sync runs waits for the
 * next one, never for the running one, which may have passed its entry already. When the running one fails, so do those
 * who wait: their entries may have been lost with it, and the next sync would not know.
 */

import { fdatasync, fsync } from 'node:fs';
import type { SharedCount } from '../../shared/shared-count.ts';
import type { Folder } from './folder.ts';
import { toLossError } from './storage-error.ts';

/** How many folders are remembered as durable; forgetting one costs one more sync. */
const MAX_KNOWN = 10_000;

interface Waiting {
  readonly promise: Promise<void>;
  readonly start: () => void;
  readonly fail: (error: unknown) => void;
}

export class FolderSync {
  private readonly running = new Map<string, Promise<void>>();
  private readonly next = new Map<string, Waiting>();
  private readonly durable = new Set<string>();
  private readonly prunedFolders: SharedCount;
  private prunedWhenKnown = 0;

  /** `prunedFolders` counts, before it happens, every folder that some thread removes. */
  constructor(prunedFolders: SharedCount) {
    this.prunedFolders = prunedFolders;
  }

  /** To be taken while the folders about which something is to be remembered cannot be removed. */
  get pruned(): number {
    return this.prunedFolders.total;
  }

  /** True when this thread has seen the entry of this folder in its parent become durable. The folder is open. */
  isKnownDurable(folder: Folder): boolean {
    this.forgetPruned();
    return this.durable.has(folder.path);
  }

  /** `pruned` is what it was when the folder was synced: one of this name that was made since is another one. */
  markDurable(folder: Folder, pruned: number): void {
    this.forgetPruned();
    if (pruned !== this.prunedWhenKnown) return;
    if (this.durable.size >= MAX_KNOWN) this.durable.clear();
    this.durable.add(folder.path);
  }

  /** A folder of this name was made: nothing is known of its entry. */
  forget(folder: Folder): void {
    this.durable.delete(folder.path);
  }

  /** Names are remembered, and a folder that is made anew under its old name is not durable. */
  private forgetPruned(): void {
    const { pruned } = this;
    if (pruned === this.prunedWhenKnown) return;
    this.prunedWhenKnown = pruned;
    this.durable.clear();
  }

  /** Resolves when every entry made in the folder before this call is durable. The folder must stay open until then. */
  sync(folder: Folder): Promise<void> {
    if (!this.running.has(folder.path)) return this.run(folder);
    const waiting = this.next.get(folder.path);
    if (waiting !== undefined) return waiting.promise;
    return this.queue(folder);
  }

  private run(folder: Folder): Promise<void> {
    const promise = syncFolder(folder.fd).then(
      () => this.takeNext(folder)?.start(),
      (error: unknown) => {
        this.takeNext(folder)?.fail(error);
        throw error;
      },
    );
    this.running.set(folder.path, promise);
    return promise;
  }

  private takeNext(folder: Folder): Waiting | undefined {
    this.running.delete(folder.path);
    const waiting = this.next.get(folder.path);
    this.next.delete(folder.path);
    return waiting;
  }

  private queue(folder: Folder): Promise<void> {
    let start = (): void => {};
    let fail = (_error: unknown): void => {};
    const promise = new Promise<void>((resolve, reject) => {
      start = () => resolve(this.run(folder));
      fail = reject;
    });
    this.next.set(folder.path, { promise, start, fail });
    return promise;
  }
}

function syncFolder(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fsync(fd, (error) => (error === null ? resolve() : reject(toLossError(error, 'fsync folder'))));
  });
}

/**
 * Makes the content of a file durable, on the thread pool: a long sync must not hold up the lane's other transfers.
 * A failed sync is final: the kernel marks the pages clean, so a second one would lie.
 */
export function syncContent(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(fd, (error) => (error === null ? resolve() : reject(toLossError(error, 'fdatasync'))));
  });
}
