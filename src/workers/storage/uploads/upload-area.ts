/** What everything that works on uploads which can be gone on with shares within one thread. */

import { statSync } from 'node:fs';
import type { SteadyClock } from '../../../shared/steady-clock.ts';
import type { UploadHolders } from '../../../shared/upload-holders.ts';
import type { UploadTimes } from '../../../shared/worker-jobs.ts';
import { type Folder, inside } from '../folder.ts';
import type { FreeRoom } from '../free-room.ts';
import type { StagingArea } from '../staging-area.ts';
import { attempt } from '../storage-error.ts';
import type { CountedUploads } from './counted-uploads.ts';
import { dataFileName } from './upload-names.ts';
import { reservedBytes, type UploadRecord } from './upload-record.ts';

export interface UploadArea {
  readonly staging: StagingArea;
  /** `.hfs/uploads`, open. */
  readonly folder: Folder;
  /** Promises that outlive the thread. */
  readonly room: FreeRoom;
  readonly holders: UploadHolders;
  /** Unfinished uploads, in all threads. */
  readonly counted: CountedUploads;
  readonly checkpointBytes: number;
  readonly times: UploadTimes;
  readonly clock: SteadyClock;
}

/** Makes names that were made or removed in the folder of uploads durable. */
export async function syncUploads({ staging, folder }: UploadArea): Promise<void> {
  if (staging.durability === 'full') await staging.folderSync.sync(folder);
}

/** What the file of an upload has, and what the upload was promised and has not used: of one that nobody writes to. */
export interface UploadBytes {
  readonly held: number;
  readonly promised: number;
}

export function bytesOf(folder: Folder, record: UploadRecord): UploadBytes {
  const path = inside(folder, dataFileName(record.id));
  const stats = attempt('stat upload', () => statSync(path, { throwIfNoEntry: false }));
  const held = stats?.size ?? 0;
  return { held, promised: Math.max(0, reservedBytes(record) - held) };
}
