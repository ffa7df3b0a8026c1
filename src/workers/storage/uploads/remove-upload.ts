/** Ends an upload that nobody works on: what it was promised, and every name that it has. */

import type { SharedCount } from '../../../shared/shared-count.ts';
import type { Folder } from '../folder.ts';
import { promisedBytes } from './upload-area.ts';
import { dataFileName, hasData, recordFileName, removeLink, unlinkIfThere } from './upload-names.ts';
import type { UploadRecord } from './upload-record.ts';

/** Where it is counted. */
export interface UploadCounts {
  readonly folder: Folder;
  readonly room: { release(bytes: number): void };
  readonly open: SharedCount;
}

/** True as long as bytes may come, or the file is not committed. */
export function isUnfinished(folder: Folder, record: UploadRecord): boolean {
  return record.phase === 'open' || (record.phase === 'whole' && hasData(folder, record.id));
}

/** Of one that is counted: also its promises end. May be broken off anywhere. */
export function removeCounted({ folder, room, open }: UploadCounts, record: UploadRecord): void {
  const promised = promisedBytes(folder, record);
  removeUpload(folder, record);
  room.release(promised);
  open.add(-1);
}

/** The record first: a whole one without bytes would say that the file was committed. May be broken off anywhere. */
export function removeUpload(folder: Folder, { id, link }: UploadRecord): void {
  unlinkIfThere(folder, recordFileName(id));
  unlinkIfThere(folder, dataFileName(id));
  removeLink(folder, link, id);
}
