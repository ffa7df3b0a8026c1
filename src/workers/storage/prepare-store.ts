/**
 * Start-up, before the lock: makes the store's own folders and finds out whether the file system can keep the promises.
 * It may run beside a server that uses the store, and disturbs nothing there.
 */

import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { RESERVED_SEGMENT } from '../../shared/files.ts';
import type { StoreIdentity } from '../../shared/worker-jobs.ts';
import { closeAll, closeFolder, type Folder, inside, makeFolders, openRoot } from './folder.ts';
import { withFolder, withOwnTree, withRoot, withStaging } from './own-folders.ts';
import { refuseMountsBelow, refuseOtherDevices } from './single-file-system.ts';
import { attempt, StorageError } from './storage-error.ts';
import { hasKnownFormat } from './store-format.ts';
import { LONG_NAMES, RECORDS, STAGING, UPLOADS } from './store-layout.ts';

const FOLDER_MODE = 0o750;
/** Recovery removes what a start that was killed here left. */
const SCRATCH_PREFIX = `check.${process.pid}.`;

/** Makes what is missing and checks the file system. Errors: store-unavailable (with the reason), no-space, io. */
export function prepareStore(storeDir: string): StoreIdentity {
  attempt('mkdir StoreDir', () => mkdirSync(storeDir, { recursive: true, mode: FOLDER_MODE }));
  refuseMountsBelow(storeDir);
  return withRoot(storeDir, (root) => {
    withFolder(root, [RESERVED_SEGMENT], hasKnownFormat);
    for (const names of [STAGING, UPLOADS, RECORDS, LONG_NAMES]) prepareFolders(root, names);
    const { dev, ino } = attempt('fstat StoreDir', () => fstatSync(root.fd, { bigint: true }));
    withOwnTree(root, (own) => refuseOtherDevices(own, dev));
    syncParent(storeDir);
    checkLinks(root);
    checkNames(root);
    const staging = withStaging(root, ({ fd }) => fstatSync(fd, { bigint: true }).ino);
    return { device: dev.toString(), inode: ino.toString(), stagingInode: staging.toString() };
  });
}

function prepareFolders(root: Folder, names: readonly string[]): void {
  const way = makeFolders(root, names);
  try {
    for (const folder of [root, ...way]) attempt('fsync folder', () => fsyncSync(folder.fd));
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
  attempt('create scratch file', () => closeSync(openSync(path, 'wx', 0o600)));
}

/** Publishing needs hard links and renames from the staging folder into the public tree. */
function checkLinks(root: Folder): void {
  withStaging(root, (staging) => {
    const from = inside(staging, `${SCRATCH_PREFIX}a`);
    const to = inside(root, `${RESERVED_SEGMENT}/${SCRATCH_PREFIX}b`);
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

function removeIfThere(...paths: readonly string[]): void {
  for (const path of paths) rmSync(path, { force: true });
}
