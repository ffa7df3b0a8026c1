/**
 * Recovery: what a crash left is brought into a state that was promised, before the port is opened and under the lock
 * on the store. It looks at the unfinished uploads and their keys only, never at all files, and may be killed at any
 * step: what it did not finish the next one does.
 */

import { readdirSync, rmSync, unlinkSync } from 'node:fs';
import type { RecoveryReport, StoreIdentity } from '../../shared/worker-jobs.ts';
import { isMarkedDirty, markDirty, unmarkDirty } from './dirty-mark.ts';
import { type Folder, inside } from './folder.ts';
import { releaseLock } from './lock-file.ts';
import { withFolder, withOwnTree, withRoot, withStaging } from './own-folders.ts';
import { settleKey } from './settle-key.ts';
import { attempt } from './storage-error.ts';
import { hasKnownFormat, writeFormat } from './store-format.ts';
import { LOCK_FILE, RECORDS, STAGING_PREFIX_DIGITS, TOMBSTONES, UPLOADS, VERSIONS } from './store-layout.ts';
import { refuseOther } from './store-probe.ts';
import { recoverUploads } from './uploads/recover-uploads.ts';

/** What a start that was killed may have left in the reserved tree itself. */
const DRAFT = new RegExp(`^(?:check\\.|${LOCK_FILE}\\.)|\\.new$`);
const KEY_PREFIX = new RegExp(`^([0-9a-f]{${STAGING_PREFIX_DIGITS}})\\.`);

/** The caller holds the lock on the store, and no lane runs. After it the store is marked as being in use. */
export function recoverStore(storeDir: string): RecoveryReport {
  return withRoot(storeDir, (root) => {
    const wasClean = withOwnTree(root, (own) => !isMarkedDirty(own) && hasKnownFormat(own));
    withOwnTree(root, markDirty);
    if (wasClean) return { wasClean, removedStagingFiles: 0, removedRecords: 0 };
    withOwnTree(root, removeDrafts);
    withFolder(root, TOMBSTONES, removeDrafts);
    const settled = withStaging(root, (staging) => settleStaging(root, staging));
    const ofUploads = withFolder(root, UPLOADS, (folder) => recoverUploads(root, folder)) ?? 0;
    const report = { ...settled, removedRecords: settled.removedRecords + ofUploads };
    // Last: as long as it is missing, an earlier version may have left anything.
    withOwnTree(root, writeFormat);
    return { wasClean, ...report };
  });
}

/**
 * Ends the use of the store. What could not be tidied up keeps its mark, so that the next start looks for it. Errors:
 * store-unavailable when another folder has taken the place of the store: its marks are somebody else's.
 */
export function closeStore(storeDir: string, identity: StoreIdentity): void {
  refuseOther(storeDir, identity);
  withRoot(storeDir, (root) => {
    const isTidy = withStaging(root, (staging) => namesIn(staging).length === 0);
    withOwnTree(root, (own) => {
      if (isTidy) unmarkDirty(own);
      releaseLock(own);
    });
  });
}

/** The keys first, the staging files after them: as long as a staging file is there, its key is found again. */
function settleStaging(root: Folder, staging: Folder): Omit<RecoveryReport, 'wasClean'> {
  const names = namesIn(staging);
  let removedRecords = 0;
  for (const keyHash of touchedKeys(root, names)) removedRecords += settleKey(root, keyHash);
  for (const name of names) attempt('unlink staging', () => unlinkSync(inside(staging, name)));
  return { removedStagingFiles: names.length, removedRecords };
}

/** Hashes of the keys with records or versions that uploads of these staging files may have written to. */
function touchedKeys(root: Folder, stagingNames: readonly string[]): ReadonlySet<string> {
  const prefixes = new Set(stagingNames.flatMap((name) => KEY_PREFIX.exec(name)?.[1] ?? []));
  const shards = new Set([...prefixes].map((prefix) => prefix.slice(0, 2)));
  const trees = [RECORDS, VERSIONS].flatMap((tree) => [...shards].map((shard) => [...tree, shard]));
  const keys = trees.flatMap((names) => withFolder(root, names, namesIn) ?? []);
  return new Set(keys.filter((key) => prefixes.has(key.slice(0, STAGING_PREFIX_DIGITS))));
}

function removeDrafts(folder: Folder): void {
  for (const name of namesIn(folder).filter((candidate) => DRAFT.test(candidate))) rmSync(inside(folder, name));
}

function namesIn(folder: Folder): readonly string[] {
  return attempt('readdir', () => readdirSync(inside(folder, '.')));
}
