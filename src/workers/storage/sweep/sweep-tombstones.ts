/**
 * The part of a pass that goes through the tombstones: those that are over are removed, and one that cannot be read is
 * written anew for the secrets that are in use now, so that it does not stand for ever.
 */

import { lstatSync, type Stats, unlinkSync } from 'node:fs';
import { readTombstone } from '../closed-slots.ts';
import { closeAll, type Folder, inside } from '../folder.ts';
import { namesIn, withFolder } from '../own-folders.ts';
import { attempt } from '../storage-error.ts';
import { TOMBSTONES } from '../store-layout.ts';
import { isOver, type Tombstone } from '../tombstone.ts';
import type { FileSweep, SweepContext } from './file-sweep.ts';

const SHARD = /^[0-9a-f]{2}$/;
/** A draft that is older is nobody's any more. */
const LEFT_OVER_MS = 3_600_000;

/** Yields after each tombstone. */
export function* sweepTombstones(sweep: FileSweep, context: SweepContext): Generator<void, void> {
  const { root } = context;
  /** What the files say that many tombstones are names of, by their inodes. */
  const known = new Map<number, Tombstone>();
  for (const shard of namesIn(root, TOMBSTONES)) {
    if (!SHARD.test(shard)) {
      withFolder(root, TOMBSTONES, (folder) => sweepShared(sweep, context, folder, shard));
      continue;
    }
    for (const keyHash of namesIn(root, [...TOMBSTONES, shard])) {
      withFolder(root, [...TOMBSTONES, shard], (folder) => sweepOne(sweep, context, { folder, keyHash, known }));
      yield;
    }
  }
}

/** The name by which new tombstones of some secrets are made, or a draft of it. */
function sweepShared(sweep: FileSweep, { closedSlots }: SweepContext, folder: Folder, name: string): void {
  const path = inside(folder, name);
  const stats = statsOf(path);
  if (stats === undefined) return;
  const tombstone = readTombstone(path);
  const isStale = tombstone === null || name.endsWith('.new');
  const isLeft = isStale && Date.now() - stats.ctimeMs > LEFT_OVER_MS;
  if (isLeft || (tombstone !== null && isOver(tombstone, closedSlots.moment))) remove(sweep, path);
}

interface FoundTombstone {
  readonly folder: Folder;
  readonly keyHash: string;
  readonly known: Map<number, Tombstone>;
}

function sweepOne(sweep: FileSweep, context: SweepContext, { folder, keyHash, known }: FoundTombstone): void {
  const { closedSlots, locks } = context;
  const path = inside(folder, keyHash);
  const release = locks.tryAcquire(keyHash);
  if (release === null) return;
  try {
    const stats = statsOf(path);
    if (stats === undefined) return;
    const tombstone = known.get(stats.ino) ?? readTombstone(path);
    if (tombstone !== null && isOver(tombstone, closedSlots.moment)) {
      remove(sweep, path);
      return;
    }
    if (tombstone === null) writeAnew(context, keyHash);
    else if (stats.nlink > 1) known.set(stats.ino, tombstone);
    sweep.figures.tombstones += 1;
  } finally {
    release();
  }
}

function writeAnew({ closedSlots }: SweepContext, keyHash: string): void {
  const way = closedSlots.close(keyHash, { kind: 'secrets', ids: closedSlots.moment.secretIds });
  if (way !== null) closeAll(way);
}

function remove(sweep: FileSweep, path: string): void {
  attempt('unlink tombstone', () => unlinkSync(path));
  sweep.figures.leftovers += 1;
}

function statsOf(path: string): Stats | undefined {
  return attempt('lstat tombstone', () => lstatSync(path, { throwIfNoEntry: false }));
}
