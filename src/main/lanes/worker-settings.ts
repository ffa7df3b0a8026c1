/** What every worker thread of this process is started with. */

import { ExpiryRule } from '../../shared/expiry-rule.ts';
import { OwnerUsage } from '../../shared/owner-usage.ts';
import { createPathLocks } from '../../shared/path-locks.ts';
import { RoomLedger } from '../../shared/room-ledger.ts';
import { SecretIds } from '../../shared/secret-ids.ts';
import { SharedCount } from '../../shared/shared-count.ts';
import { SharedFlag } from '../../shared/shared-flag.ts';
import { readClocks } from '../../shared/steady-clock.ts';
import { UnfinishedUploads } from '../../shared/unfinished-uploads.ts';
import { createUploadHolders } from '../../shared/upload-holders.ts';
import type { UploadTimes, WorkerSettings } from '../../shared/worker-jobs.ts';
import type { UnresolvedConfig } from '../config/config.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const UPLOAD_TIMES: UploadTimes = { idleMs: DAY_MS, lifeMs: 7 * DAY_MS, memoryMs: 10 * MINUTE_MS };

/** Each lane has a place in the room ledger. */
export function workerSettingsOf(config: UnresolvedConfig): WorkerSettings {
  const { storeDir, durability, storeDigest, minFreeBytes, minFreeInodes, uploadLanes, downloadLanes } = config;
  return {
    storeDir,
    durability,
    storesDigest: storeDigest,
    minFreeBytes,
    minFreeInodes,
    roomLedger: RoomLedger.allocate(uploadLanes + downloadLanes),
    checkpointBytes: config.chunkBytes,
    maxOpenUploads: config.maxOpenUploads,
    maxOpenUploadsPerOwner: config.maxOpenUploadsPerOwner,
    unfinishedUploads: UnfinishedUploads.allocate(),
    uploadHolders: createUploadHolders(),
    uploadTimes: UPLOAD_TIMES,
    expiry: ExpiryRule.allocate(),
    clockStart: readClocks(),
    prunedFolders: SharedCount.allocate(1),
    pathLocks: createPathLocks(),
    secretIds: SecretIds.allocate(),
    closedSlots: SharedFlag.allocate(),
    ownerUsage: OwnerUsage.allocate(),
  };
}
