/** Ends an upload that nobody works on: what it was promised, and every name that it has. */

import type { Folder } from '../folder.ts';
import type { CountedUploads } from './counted-uploads.ts';
import { bytesOf } from './upload-area.ts';
import { dataFileName, hasData, recordFileName, removeLink, unlinkIfThere } from './upload-names.ts';
import type { UploadRecord } from './upload-record.ts';

/** Where it is counted. */
export interface UploadCounts {
  readonly folder: Folder;
  readonly room: { release(bytes: number): void };
  readonly counted: CountedUploads;
}

/** True as long as bytes may come, or the file is not committed. */
export function isUnfinished(folder: Folder, record: UploadRecord): boolean {
  return record.phase === 'open' || (record.phase === 'whole' && hasData(folder, record.id));
}

/** Of one that is counted: also its promises end. May be broken off anywhere. */
export function removeCounted({ folder, room, counted }: UploadCounts, record: UploadRecord): void {
  const { held, promised } = bytesOf(folder, record);
  removeUpload(folder, record);
  room.release(promised);
  counted.grow(-held);
  counted.end(record);
}

/** The record first: a whole one without bytes would say that the file was committed. May be broken off anywhere. */
export function removeUpload(folder: Folder, { id, link }: UploadRecord): void {
  unlinkIfThere(folder, recordFileName(id));
  unlinkIfThere(folder, dataFileName(id));
  removeLink(folder, link, id);
}
