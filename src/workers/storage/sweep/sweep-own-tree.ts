/**
 * The part of a pass below `.hfs`: long names, records and their own expiry, versions of files that are gone, staging
 * files of lanes that died, tombstones. What belongs to nothing is left over, but never while it may still be on its way.
 */

import { lstatSync, unlinkSync } from 'node:fs';
import type { FileKey } from '../../../shared/files.ts';
import { type CurrentFile, currentOf, keyOfHash } from '../current-of-key.ts';
import { type Folder, inside, removeIfEmpty } from '../folder.ts';
import { forgetKey } from '../forget-key.ts';
import { namesIn, withFolder } from '../own-folders.ts';
import { readRecord } from '../record.ts';
import { orphanRecords } from '../settle-key.ts';
import { attempt } from '../storage-error.ts';
import { LONG_NAMES, locate, RECORDS, recordFolders, STAGING, VERSIONS } from '../store-layout.ts';
import type { FileSweep, SweepContext } from './file-sweep.ts';
import { sweepTombstones } from './sweep-tombstones.ts';

/** An upload writes its record before its content has a name, and is never silent for so long. */
const LEFT_OVER_MS = 3_600_000;

/** Yields after each key. */
export function* sweepOwnTree(sweep: FileSweep, context: SweepContext): Generator<void, void> {
  const { root } = context;
  yield* eachKey(root, LONG_NAMES, (keyHash, shard) => sweepLongName(sweep, context, keyHash, shard));
  yield* eachKey(root, RECORDS, (keyHash) => sweepRecords(sweep, context, keyHash));
  yield* eachKey(root, VERSIONS, (keyHash) => sweepVersions(sweep, context, keyHash));
  for (const name of namesIn(root, STAGING)) {
    if (withFolder(root, STAGING, (staging) => unlinkLeftOver(staging, name)) === true) sweep.figures.leftovers += 1;
    yield;
  }
  yield* sweepTombstones(sweep, context);
}

function* eachKey(
  root: Folder,
  area: readonly string[],
  visit: (keyHash: string, shard: string) => void,
): Generator<void, void> {
  for (const shard of namesIn(root, area)) {
    for (const keyHash of namesIn(root, [...area, shard])) {
      visit(keyHash, shard);
      yield;
    }
  }
}

function sweepLongName(sweep: FileSweep, { root }: SweepContext, keyHash: string, shard: string): void {
  withFolder(root, [...LONG_NAMES, shard], (folder) => {
    const stats = lstatSync(inside(folder, keyHash), { throwIfNoEntry: false });
    if (stats?.isFile() !== true) return;
    sweep.count(stats.size);
    const key = keyOfHash(root, keyHash);
    if (key !== null) {
      sweep.expireByAge(folder, keyHash, key, stats);
      sweep.settleFolder(folder);
    } else if (unlinkLeftOver(folder, keyHash)) {
      // Nobody can ask for a content whose path stands nowhere.
      sweep.figures.leftovers += 1;
    }
  });
}

function sweepRecords(sweep: FileSweep, context: SweepContext, keyHash: string): void {
  const { root, locks } = context;
  const key = keyOfHash(root, keyHash);
  const current = key === null ? null : currentOf(root, key, keyHash);
  if (key !== null && current !== null) sweepDescribed(sweep, context, { key, keyHash, current });
  const release = locks.tryAcquire(keyHash);
  if (release === null) return;
  try {
    withFolder(root, recordFolders(keyHash), (folder) => {
      // Looked at again under the lock: the content may be another one by now.
      const now = key === null ? null : currentOf(root, key, keyHash);
      for (const name of orphanRecords(root, folder, { keyHash, current: now })) {
        if (unlinkLeftOver(folder, name)) sweep.figures.leftovers += 1;
      }
    });
    removeIfEmpty(root, recordFolders(keyHash).join('/'));
  } finally {
    release();
  }
}

interface DescribedKey {
  readonly key: FileKey;
  readonly keyHash: string;
  readonly current: CurrentFile;
}

/** A content with an owner, or with an expiry of its own. */
function sweepDescribed(sweep: FileSweep, context: SweepContext, described: DescribedKey): void {
  const { key, keyHash, current } = described;
  const record = readRecord(context.root, keyHash, current.record, key);
  const isGone = context.rule.isPast(record?.expiresMs ?? null) && removeDescribed(sweep, context, described);
  if (!isGone)
    sweep.owners.described(key, record?.owner ?? null, { size: current.sizeBytes, ctimeMs: current.ctimeMs });
}

/** Its own expiry needs no announcement, since whoever uploaded it asked for it. Returns whether it is gone. */
function removeDescribed(sweep: FileSweep, context: SweepContext, { key, keyHash, current }: DescribedKey): boolean {
  const { root } = context;
  const { folders, name } = locate(key, keyHash);
  const isGone = withFolder(root, folders, (folder) => {
    const isSame = (): boolean => currentOf(root, key, keyHash)?.record === current.record;
    const isRemoved = sweep.remove(folder, name, key, { isExpired: isSame, size: current.sizeBytes });
    sweep.settleFolder(folder);
    return isRemoved;
  });
  return isGone === true;
}

/** At no instant is there a version without a current file, except while one is deleted, under the lock. */
function sweepVersions(sweep: FileSweep, { root, locks }: SweepContext, keyHash: string): void {
  const key = keyOfHash(root, keyHash);
  if (key === null) return;
  if (currentOf(root, key, keyHash) !== null) {
    sweep.owners.versions(root, key, keyHash);
    return;
  }
  const release = locks.tryAcquire(keyHash);
  if (release === null) return;
  try {
    if (currentOf(root, key, keyHash) !== null) return;
    forgetKey(root, keyHash, null);
    sweep.figures.leftovers += 1;
  } finally {
    release();
  }
}

function unlinkLeftOver(folder: Folder, name: string): boolean {
  const stats = lstatSync(inside(folder, name), { throwIfNoEntry: false });
  if (stats === undefined || Date.now() - stats.ctimeMs < LEFT_OVER_MS) return false;
  attempt('unlink left over', () => unlinkSync(inside(folder, name)));
  return true;
}
