/** What every worker thread of this process is started with. */

import type { WorkerSettings } from '../shared/messages.ts';
import { createPathLocks } from '../shared/path-locks.ts';
import { RoomLedger } from '../shared/room-ledger.ts';
import type { UnresolvedConfig } from './config/config.ts';

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
    pathLocks: createPathLocks(),
  };
}
