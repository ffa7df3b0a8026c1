/**
 * The part of a pass over the uploads that can be gone on with: unfinished ones whose time is over, what is remembered of
 * the others for long enough, and what lanes that died have left. Whatever somebody holds is left alone.
 */

import { lstatSync, readdirSync } from 'node:fs';
import type { PathLocks } from '../../../shared/path-locks.ts';
import type { SteadyClock } from '../../../shared/steady-clock.ts';
import type { ExpiredUpload } from '../../../shared/sweep-report.ts';
import type { UploadHolders } from '../../../shared/upload-holders.ts';
import type { UploadTimes } from '../../../shared/worker-jobs.ts';
import { inside } from '../folder.ts';
import { attempt } from '../storage-error.ts';
import { fileIdOf, hashOf } from '../store-layout.ts';
import { isUnfinished, removeCounted, removeUpload, type UploadCounts } from './remove-upload.ts';
import { keyHashOf, readLink, readName, recordFileName, unlinkIfThere } from './upload-names.ts';
import { readUploadRecord, type UploadRecord, uploadExpiresMs } from './upload-record.ts';

/** Nothing that is on its way into its place takes so long. */
const LEFT_OVER_MS = 3_600_000;

export interface UploadSweepContext extends UploadCounts {
  readonly locks: PathLocks;
  readonly holders: UploadHolders;
  readonly times: UploadTimes;
  readonly clock: SteadyClock;
}

export interface UploadSweepListener {
  expired(upload: ExpiredUpload): void;
  leftOver(): void;
}

/** Yields after each name. */
export function* sweepUploads(context: UploadSweepContext, listener: UploadSweepListener): Generator<void, void> {
  const { folder } = context;
  const names = attempt('readdir uploads', () => readdirSync(inside(folder, '.')));
  for (const name of names) {
    const read = readName(name);
    if (read.kind === 'record') sweepRecord(context, read.id, listener);
    else if (isNobodys(context, name) && removeOld(context, name)) listener.leftOver();
    yield;
  }
}

function sweepRecord(context: UploadSweepContext, id: string, listener: UploadSweepListener): void {
  const { folder, holders, times, clock } = context;
  const holding = holders.tryTake(id);
  if (holding === null) return;
  try {
    const record = readUploadRecord(folder, id);
    if (record === null) {
      if (isOld(context, recordFileName(id))) unlinkIfThere(folder, recordFileName(id));
      return;
    }
    const isOpen = isUnfinished(folder, record);
    if (clock.nowMs() >= uploadExpiresMs(record, isOpen, times)) {
      if (isOpen) expire(context, record, listener);
      else removeUpload(folder, record);
    } else if (isOpen && readLink(folder, record.link) !== id && isOld(context, recordFileName(id))) {
      // Its lane died before it had its place, or another one took it.
      removeCounted(context, record);
      listener.leftOver();
    }
  } finally {
    holding.release();
  }
}

function expire(context: UploadSweepContext, record: UploadRecord, listener: UploadSweepListener): void {
  const { id: uploadId, path, protocol, offset: offsetBytes } = record;
  removeCounted(context, record);
  listener.expired({ uploadId, fileId: fileIdOf(hashOf(path)), protocol, offsetBytes });
}

/** Bytes and links of uploads that are not known, and what never took the place of anything. */
function isNobodys({ folder }: UploadSweepContext, name: string): boolean {
  const read = readName(name);
  switch (read.kind) {
    case 'draft':
      return true;
    case 'data':
      return readUploadRecord(folder, read.id) === null;
    case 'link':
      return readUploadRecord(folder, readLink(folder, name) ?? '') === null;
    case 'record':
    case 'foreign':
      return false;
    default:
      return read satisfies never;
  }
}

/** Under the lock of its path, if it is a link: a creation may point it elsewhere. */
function removeOld(context: UploadSweepContext, name: string): boolean {
  const keyHash = keyHashOf(name);
  const release = keyHash === null ? () => {} : context.locks.tryAcquire(keyHash);
  if (release === null) return false;
  try {
    const isStill = isNobodys(context, name) && isOld(context, name);
    if (isStill) unlinkIfThere(context.folder, name);
    return isStill;
  } finally {
    release();
  }
}

function isOld({ folder }: UploadSweepContext, name: string): boolean {
  const stats = lstatSync(inside(folder, name), { throwIfNoEntry: false });
  return stats !== undefined && Date.now() - stats.ctimeMs >= LEFT_OVER_MS;
}
