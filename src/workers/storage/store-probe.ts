/** Whether the store can be used, found out by using it: short jobs beside the lanes. */

import {
  closeSync,
  constants,
  fdatasyncSync,
  fsyncSync,
  openSync,
  readSync,
  statfsSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import type { StoreIdentity, StoreSpace } from '../../shared/worker-jobs.ts';
import { type Folder, inside } from './folder.ts';
import { withRoot, withStaging } from './own-folders.ts';
import { attempt, errorNumberOf, StorageError, toStorageError } from './storage-error.ts';
import { STAGING } from './store-layout.ts';

const PROBE_BYTES = 4_096;

/**
 * Writes, syncs, reads back and removes a new file; never touches an old inode, whose failed sync would be forgotten by
 * now. Errors: whatever stands against it.
 */
export function probeStore(storeDir: string, identity: StoreIdentity): void {
  refuseOther(storeDir, identity);
  withRoot(storeDir, (root) => withStaging(root, probeFolder));
}

/**
 * How much room there is, and whether StoreDir is still the folder that was opened at the start: files written into an
 * empty mount point, or beside a store that was moved away, would be lost. Errors: store-unavailable, io.
 */
export function watchStore(storeDir: string, identity: StoreIdentity): StoreSpace {
  refuseOther(storeDir, identity);
  const { bavail, blocks, bsize } = attempt('statfs', () => statfsSync(storeDir));
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

function probeFolder(staging: Folder): void {
  const path = inside(staging, `probe.${process.pid}.${process.hrtime.bigint()}`);
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const fd = attempt('open probe', () => openSync(path, flags, 0o600));
  try {
    const written = Buffer.alloc(PROBE_BYTES, path);
    attempt('write probe', () => writeSync(fd, written));
    attempt('fdatasync probe', () => fdatasyncSync(fd));
    attempt('fsync staging', () => fsyncSync(staging.fd));
    const read = Buffer.alloc(PROBE_BYTES);
    attempt('read probe', () => readSync(fd, read, 0, PROBE_BYTES, 0));
    if (!read.equals(written)) throw new StorageError('io', 'the probe does not read what it wrote');
  } finally {
    closeSync(fd);
    attempt('unlink probe', () => unlinkSync(path));
  }
}

/** Errors: store-unavailable when StoreDir, or its staging folder, is not the one that was opened at the start. */
export function refuseOther(storeDir: string, { device, inode, stagingInode }: StoreIdentity): void {
  const root = identify(storeDir);
  const staging = identify(`${storeDir}/${STAGING.join('/')}`);
  if (root !== `${device} ${inode}` || staging !== `${device} ${stagingInode}`) {
    throw new StorageError('store-unavailable', 'StoreDir is another folder than at the start');
  }
}

function identify(path: string): string {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev} ${ino}`;
  } catch (error) {
    const number = errorNumberOf(error);
    if (number === 'ENOENT' || number === 'ENOTDIR') throw new StorageError('store-unavailable', `${number} StoreDir`);
    throw toStorageError(error, 'stat StoreDir');
  }
}

/** Numeric id of the user whom StoreDir belongs to. */
export function ownerOf(storeDir: string): number {
  return attempt('stat StoreDir', () => statSync(storeDir)).uid;
}
