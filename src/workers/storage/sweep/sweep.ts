/**
 * One pass over the whole store, in portions: removes what has expired and what a crash or a deletion left over, prunes
 * empty folders, and counts. It never follows a link, and leaves alone whatever somebody works on.
 */

import { type Dirent, lstatSync, type Stats } from 'node:fs';
import { type FileKey, RESERVED_SEGMENT } from '../../../shared/files.ts';
import type { ExpiredUpload, SweepPortion } from '../../../shared/sweep-report.ts';
import { type Folder, inside, removeIfEmpty } from '../folder.ts';
import { OwnerTally } from '../owner-tally.ts';
import { errorNumberOf, toStorageError } from '../storage-error.ts';
import { sweepUploads } from '../uploads/sweep-uploads.ts';
import { isAnnounced, noteAnnounced } from './expiry-notice.ts';
import type { FileSweep, SweepContext, SweepFigures } from './file-sweep.ts';
import { ExpiredRemoval } from './remove-expired.ts';
import { sweepOwnTree } from './sweep-own-tree.ts';
import { type WalkVisitor, walkTree } from './tree-walk.ts';

/** A pass removes at most this share of the files, but always so many: a wrong clock must not empty the store. */
const MAX_SHARE = 0.05;
const ALWAYS_ALLOWED = 1_000;

export class Sweep implements WalkVisitor, FileSweep {
  readonly figures: SweepFigures;
  readonly owners: OwnerTally;
  private readonly context: SweepContext;
  private readonly removal: ExpiredRemoval;
  private readonly fileTtlSeconds: number | null;
  private readonly expiredUploads: ExpiredUpload[] = [];
  private readonly steps: Generator<void, void>;

  constructor(context: SweepContext) {
    this.context = context;
    this.owners = new OwnerTally(context.ownerUsage);
    this.removal = new ExpiredRemoval(context);
    this.fileTtlSeconds = context.rule.fileTtlSeconds;
    this.figures = {
      isAnnouncing: !isAnnounced(context.root, this.fileTtlSeconds),
      files: 0,
      bytes: 0,
      expiredFiles: 0,
      expiredBytes: 0,
      removedFiles: 0,
      removedBytes: 0,
      prunedFolders: 0,
      leftovers: 0,
      tombstones: 0,
      passedOver: 0,
    };
    this.steps = this.pass();
  }

  /** Works for about so many milliseconds. */
  advance(budgetMs: number): SweepPortion {
    const untilMs = performance.now() + budgetMs;
    let isDone = false;
    while (!isDone && performance.now() < untilMs) isDone = this.isOutdated || this.steps.next().done === true;
    this.removal.settle();
    const isComplete = isDone && !this.isOutdated;
    if (isComplete) {
      noteAnnounced(this.context.root, this.fileTtlSeconds);
      this.owners.finish();
    }
    const expired = this.removal.takeTold();
    const expiredUploads = this.expiredUploads.splice(0);
    return { isDone, isComplete, expired, expiredUploads, totals: this.figures };
  }

  /** Closes what the pass has open. */
  end(): void {
    this.steps.return();
  }

  visit(entry: Dirent, folder: Folder, path: readonly string[]): boolean {
    const { name } = entry;
    if (!entry.isFile()) return true;
    const stats = statsOf(folder, name);
    if (stats === null) this.passOver();
    if (stats?.isFile() !== true) return true;
    this.count(stats.size);
    const key = [...path, name].join('/') as FileKey;
    const isGone = this.expireByAge(folder, name, key, stats);
    if (!isGone) this.owners.file(key, stats);
    return !isGone;
  }

  leave(folder: Folder, parent: Folder, name: string, isEmpty: boolean): boolean {
    const isGone = isEmpty && this.prune(parent, name);
    this.removal.settleFolder(folder, isGone);
    return !isGone;
  }

  passOver(): void {
    this.figures.passedOver += 1;
  }

  count(sizeBytes: number): void {
    this.figures.files += 1;
    this.figures.bytes += sizeBytes;
  }

  expireByAge(
    folder: Folder,
    name: string,
    key: FileKey,
    { mtimeMs, size }: { readonly mtimeMs: number; readonly size: number },
  ): boolean {
    const { rule } = this.context;
    const isExpired = (modifiedMs: number): boolean => rule.isPast(rule.expiresMs(modifiedMs, null));
    if (!isExpired(mtimeMs)) return false;
    this.figures.expiredFiles += 1;
    this.figures.expiredBytes += size;
    return !this.figures.isAnnouncing && this.remove(folder, name, key, { isExpired, size });
  }

  remove(
    folder: Folder,
    name: string,
    key: FileKey,
    { isExpired, size }: { readonly isExpired: (modifiedMs: number) => boolean; readonly size: number },
  ): boolean {
    if (this.figures.removedFiles >= this.allowance || !this.removal.remove(folder, name, key, isExpired)) return false;
    this.figures.removedFiles += 1;
    this.figures.removedBytes += size;
    return true;
  }

  settleFolder(folder: Folder): void {
    this.removal.settleFolder(folder, false);
  }

  private *pass(): Generator<void, void> {
    const { root } = this.context;
    yield* walkTree(root, this, (name) => name.toLowerCase() === RESERVED_SEGMENT);
    yield* sweepOwnTree(this, this.context);
    yield* sweepUploads(this.context.uploads, {
      expired: (upload) => this.expiredUploads.push(upload),
      leftOver: () => {
        this.figures.leftovers += 1;
      },
    });
  }

  /** A new FileTTL, perhaps a stricter one, is announced by a pass of its own. */
  private get isOutdated(): boolean {
    return this.context.rule.fileTtlSeconds !== this.fileTtlSeconds;
  }

  private get allowance(): number {
    const files = Math.max(this.context.knownFiles ?? 0, this.figures.files);
    return Math.max(ALWAYS_ALLOWED, Math.floor(files * MAX_SHARE));
  }

  private prune(parent: Folder, name: string): boolean {
    if (this.figures.isAnnouncing) return false;
    const { prunedFolders } = this.context;
    prunedFolders.add(1);
    const isGone = removeIfEmpty(parent, name);
    prunedFolders.add(1);
    if (isGone) this.figures.prunedFolders += 1;
    return isGone;
  }
}

/** undefined: gone a moment ago; null: not ours to look at. */
function statsOf(folder: Folder, name: string): Stats | undefined | null {
  try {
    return lstatSync(inside(folder, name), { throwIfNoEntry: false });
  } catch (error) {
    if (errorNumberOf(error) === 'EACCES') return null;
    throw toStorageError(error, 'lstat');
  }
}
