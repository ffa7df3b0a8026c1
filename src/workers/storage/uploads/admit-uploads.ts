/**
 * At every start: unfinished uploads are counted, and they and their owners are promised again the room that they were let
 * in with. Those whose time is over go first.
 */

import { RoomLedger } from '../../../shared/room-ledger.ts';
import { SteadyClock } from '../../../shared/steady-clock.ts';
import type { WorkerSettings } from '../../../shared/worker-jobs.ts';
import { withFolder, withRoot } from '../own-folders.ts';
import { UPLOADS } from '../store-layout.ts';
import { countUploads } from './counted-uploads.ts';
import { unfinishedIds } from './recover-uploads.ts';
import { isUnfinished, removeUpload } from './remove-upload.ts';
import { bytesOf } from './upload-area.ts';
import { readUploadRecord, uploadExpiresMs } from './upload-record.ts';

/** The store has been recovered, and no lane runs. Errors: io. */
export function admitUploads(settings: WorkerSettings): void {
  const { storeDir, roomLedger, uploadTimes, clockStart } = settings;
  const ledger = RoomLedger.ofUploads(roomLedger);
  const counted = countUploads(settings);
  const clock = new SteadyClock(clockStart);
  withRoot(storeDir, (root) =>
    withFolder(root, UPLOADS, (folder) => {
      for (const id of unfinishedIds(folder)) {
        const record = readUploadRecord(folder, id);
        if (record === null || !isUnfinished(folder, record)) continue;
        if (clock.nowMs() >= uploadExpiresMs(record, true, uploadTimes)) {
          removeUpload(folder, record);
        } else {
          const { held, promised } = bytesOf(folder, record);
          ledger.promiseBytes(promised);
          counted.restore(record);
          counted.grow(held);
        }
      }
    }),
  );
}
