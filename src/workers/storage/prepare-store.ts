/**
 * Start-up: makes the store's own folders, finds out whether the file system can keep the promises, and removes what an
 * earlier run left. Runs in a worker before the port is opened; recovery only under the lock on the store.
 */

import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { RESERVED_SEGMENT } from '../../shared/files.ts';
import type { RecoveryReport, StoreIdentity, StoreSpace } from '../../shared/messages.ts';
import { closeAll, closeFolder, type Folder, inside, makeFolders, openFolders, openRoot } from './folder.ts';
import { attempt, StorageError } from './storage-error.ts';
import { LONG_NAMES, RECORDS, STAGING } from './store-layout.ts';

const FOLDER_MODE = 0o750;
const SCRATCH_PREFIX = 'check.';

/** Makes what is missing and checks the file system. Errors: store-unavailable (with the reason), no-space, io. */
export function prepareStore(storeDir: string): StoreIdentity {
  attempt('mkdir StoreDir', () => mkdirSync(storeDir, { recursive: true, mode: FOLDER_MODE }));
  const root = openRoot(storeDir);
  try {
    const identity = attempt('fstat StoreDir', () => fstatSync(root.fd, { bigint: true }));
    for (const names of [STAGING, RECORDS, LONG_NAMES]) prepareFolders(root, names, identity.dev);
    syncParent(storeDir);
    checkLinks(root);
    checkNames(root);
    return { device: identity.dev.toString(), inode: identity.ino.toString() };
  } finally {
    closeFolder(root);
  }
}

/** Removes unfinished uploads of an earlier run. The caller holds the lock on the store. */
export function recoverStore(storeDir: string): RecoveryReport {
  const root = openRoot(storeDir);
  try {
    return withStaging(root, (staging) => {
      const names = attempt('readdir staging', () => readdirSync(inside(staging, '.')));
      for (const name of names) attempt('unlink staging', () => unlinkSync(inside(staging, name)));
      return { removedStagingFiles: names.length };
    });
  } finally {
    closeFolder(root);
  }
}

/** Writes, syncs and removes a new file; throws when the store does not take it. Never touches an old inode. */
export function probeStore(storeDir: string): void {
  const root = openRoot(storeDir);
  try {
    withStaging(root, (staging) => {
      const path = inside(staging, `${SCRATCH_PREFIX}${process.pid}.${process.hrtime.bigint()}`);
      createScratch(path);
      attempt('unlink scratch file', () => unlinkSync(path));
    });
  } finally {
    closeFolder(root);
  }
}

/** How much room the file system of the store has. */
export function measureSpace(storeDir: string): StoreSpace {
  const { bavail, blocks, bsize } = attempt('statfs', () => statfsSync(storeDir));
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

function prepareFolders(root: Folder, names: readonly string[], device: bigint): void {
  const way = makeFolders(root, names);
  try {
    for (const folder of [root, ...way]) attempt('fsync folder', () => fsyncSync(folder.fd));
    for (const folder of way) {
      if (fstatSync(folder.fd, { bigint: true }).dev !== device) {
        throw new StorageError('store-unavailable', `${RESERVED_SEGMENT} lies on another file system than StoreDir`);
      }
    }
  } finally {
    closeAll(way);
  }
}

/** StoreDir may be new itself: its own entry must survive a power cut, too. */
function syncParent(storeDir: string): void {
  const parent = openRoot(dirname(storeDir));
  try {
    fsyncSync(parent.fd);
  } catch {
    // A parent that we may read but not sync was there before us.
  } finally {
    closeFolder(parent);
  }
}

function createScratch(path: string): void {
  const fd = attempt('create scratch file', () => openSync(path, 'wx', 0o600));
  try {
    attempt('write scratch file', () => writeSync(fd, 'scratch'));
    attempt('fsync scratch file', () => fsyncSync(fd));
  } finally {
    closeSync(fd);
  }
}

/** Publishing needs hard links and renames from the staging folder into the public tree. */
function checkLinks(root: Folder): void {
  withStaging(root, (staging) => {
    const base = `${SCRATCH_PREFIX}${process.pid}`;
    const from = inside(staging, `${base}.a`);
    const to = inside(root, `${RESERVED_SEGMENT}/${base}.b`);
    removeIfThere(from, to);
    try {
      createScratch(from);
      attempt('link between folders of the store', () => linkSync(from, to));
      attempt('rename between folders of the store', () => renameSync(to, from));
    } finally {
      removeIfThere(from, to);
    }
  });
}

/** Two names that a file system may fold into one must stay two, or one user's file answers for another's. */
function checkNames(root: Folder): void {
  const pairs = [
    ['case', 'CASE'],
    ['normal-\u00e9', 'normal-e\u0301'],
  ] as const;
  withStaging(root, (staging) => {
    for (const [first, second] of pairs) {
      const path = inside(staging, `${SCRATCH_PREFIX}${first}`);
      const twin = inside(staging, `${SCRATCH_PREFIX}${second}`);
      removeIfThere(path, twin);
      createScratch(path);
      const isFolded = existsSync(twin);
      removeIfThere(path, twin);
      if (isFolded) {
        throw new StorageError('store-unavailable', 'the file system folds case or Unicode forms of file names');
      }
    }
  });
}

function withStaging<T>(root: Folder, run: (staging: Folder) => T): T {
  const staging = openFolders(root, STAGING);
  if (staging === null) throw new StorageError('store-unavailable', 'no staging folder');
  try {
    return run(staging);
  } finally {
    closeFolder(staging);
  }
}

function removeIfThere(...paths: readonly string[]): void {
  for (const path of paths) rmSync(path, { force: true });
}
