/**
 * Uploads that can be gone on with, after a crash: what was being received is cut off where it counts, and what belongs to
 * nothing is removed. One that was being committed is left to the next request for it, which does that again. May be
 * killed at any step.
 */

import { lstatSync, readdirSync, truncateSync } from 'node:fs';
import { type Folder, inside } from '../folder.ts';
import { settleKey } from '../settle-key.ts';
import { attempt } from '../storage-error.ts';
import { hashOf } from '../store-layout.ts';
import { removeUpload } from './remove-upload.ts';
import { dataFileName, hasData, readLink, readName, recordFileName, unlinkIfThere } from './upload-names.ts';
import { readUploadRecord, type UploadRecord } from './upload-record.ts';

/** Nothing else works on the store. `folder`: that of the uploads, open. Returns how many records were removed. */
export function recoverUploads(root: Folder, folder: Folder): number {
  let removedRecords = 0;
  for (const { name, read } of namesIn(folder)) {
    if (read.kind === 'record') removedRecords += recoverUpload(root, folder, read.id);
    else if (read.kind === 'draft') unlinkIfThere(folder, name);
  }
  // Now every record that is left is right: what has none is nobody's.
  for (const { name, read } of namesIn(folder)) {
    if (read.kind === 'data' && isWithoutRecord(folder, read.id)) unlinkIfThere(folder, name);
    if (read.kind === 'link' && isWithoutRecord(folder, readLink(folder, name) ?? '')) unlinkIfThere(folder, name);
  }
  return removedRecords;
}

function recoverUpload(root: Folder, folder: Folder, id: string): number {
  const record = readUploadRecord(folder, id);
  if (record === null) {
    unlinkIfThere(folder, recordFileName(id));
    return 0;
  }
  if (record.phase === 'replaced' || record.phase === 'refused') {
    unlinkIfThere(folder, dataFileName(id));
    return 0;
  }
  const data = lstatSync(inside(folder, dataFileName(id)), { throwIfNoEntry: false });
  const isPlaced = readLink(folder, record.link) === id;
  if (record.phase === 'whole') return data === undefined ? 0 : recoverWhole(root, folder, record, data.nlink > 1);
  const isIntact = data !== undefined && data.nlink === 1 && data.size >= record.offset;
  if (!isPlaced || !isIntact) removeUpload(folder, record);
  else if (data.size > record.offset) cutOff(folder, record);
  return 0;
}

/** All of it had arrived. What its commit has written beside it is put in order; the bytes go once they have their name. */
function recoverWhole(root: Folder, folder: Folder, { id, path }: UploadRecord, isPublished: boolean): number {
  const removedRecords = settleKey(root, hashOf(path));
  if (isPublished) unlinkIfThere(folder, dataFileName(id));
  return removedRecords;
}

function cutOff(folder: Folder, { id, offset }: UploadRecord): void {
  attempt('truncate upload', () => truncateSync(inside(folder, dataFileName(id)), offset));
}

function isWithoutRecord(folder: Folder, id: string): boolean {
  return lstatSync(inside(folder, recordFileName(id)), { throwIfNoEntry: false }) === undefined;
}

function namesIn(folder: Folder): readonly { readonly name: string; readonly read: ReturnType<typeof readName> }[] {
  const names = attempt('readdir uploads', () => readdirSync(inside(folder, '.')));
  return names.map((name) => ({ name, read: readName(name) }));
}

/** Ids of all uploads whose bytes are here: the unfinished ones, as far as they are in order. */
export function unfinishedIds(folder: Folder): readonly string[] {
  return namesIn(folder).flatMap(({ read }) => (read.kind === 'data' && hasData(folder, read.id) ? [read.id] : []));
}
