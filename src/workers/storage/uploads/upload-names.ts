/**
 * Names in the folder of uploads: the bytes and the record of each one, and the symbolic link by which it occupies its
 * slot. A link lies in the same folder as what it leads to, so that one sync covers all three.
 */

import { existsSync, readlinkSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { type Folder, inside } from '../folder.ts';
import { attempt, errorNumberOf, toStorageError } from '../storage-error.ts';
import { UploadError } from './upload-error.ts';

/** So many parts of concatenations may be open beside each other on one slot. */
const MAX_PARTS = 16;
const UPLOAD_ID = /^[0-9a-f]{32}$/;
const LINK = /^([0-9a-f]{64})\.(?:slot|p[0-9]{2})$/;
const RECORD = /^([0-9a-f]{32})\.json$/;
const DATA = /^([0-9a-f]{32})\.data$/;
const DRAFT = /\.new$/;

/** What a name in the folder is. */
export type UploadName =
  | { readonly kind: 'record' | 'data'; readonly id: string }
  | { readonly kind: 'link' | 'draft' | 'foreign' };

export function readName(name: string): UploadName {
  const record = RECORD.exec(name)?.[1];
  if (record !== undefined) return { kind: 'record', id: record };
  const data = DATA.exec(name)?.[1];
  if (data !== undefined) return { kind: 'data', id: data };
  if (LINK.test(name)) return { kind: 'link' };
  return { kind: DRAFT.test(name) ? 'draft' : 'foreign' };
}

/** Whatever else a client sends as an id is none, and never becomes a name on disk. */
export function isUploadId(text: string): boolean {
  return UPLOAD_ID.test(text);
}

export function recordFileName(id: string): string {
  return `${id}.json`;
}

export function dataFileName(id: string): string {
  return `${id}.data`;
}

/** Of what is about to take the place of `name`. */
export function draftName(name: string): string {
  return `${name}.new`;
}

export function slotLink(keyHash: string): string {
  return `${keyHash}.slot`;
}

/** Whose slot a link is about; null: it is none. */
export function keyHashOf(link: string): string | null {
  return LINK.exec(link)?.[1] ?? null;
}

/** The id that a link leads to; null: there is no such link. */
export function readLink(folder: Folder, link: string): string | null {
  try {
    return readlinkSync(inside(folder, link));
  } catch (error) {
    const number = errorNumberOf(error);
    // EINVAL: somebody has put a file there.
    if (number === 'ENOENT' || number === 'EINVAL') return null;
    throw toStorageError(error, 'readlink upload');
  }
}

/** The upload occupies the slot from now on, whoever did before. Under the lock of the path. */
export function pointSlot(folder: Folder, keyHash: string, id: string): void {
  const link = slotLink(keyHash);
  const draft = draftName(`${id}.slot`);
  attempt('symlink upload', () => symlinkSync(id, inside(folder, draft)));
  attempt('rename upload link', () => renameSync(inside(folder, draft), inside(folder, link)));
}

/** Takes a free place for a part and returns the name of its link. Errors: too-many-uploads, no-space, io. */
export function takePartPlace(folder: Folder, keyHash: string, id: string): string {
  for (let part = 0; part < MAX_PARTS; part += 1) {
    const link = `${keyHash}.p${String(part).padStart(2, '0')}`;
    try {
      symlinkSync(id, inside(folder, link));
      return link;
    } catch (error) {
      if (errorNumberOf(error) !== 'EEXIST') throw toStorageError(error, 'symlink upload');
    }
  }
  throw new UploadError('too-many-uploads', 'parts of the slot');
}

/** Removes the link, if it still leads to this upload. */
export function removeLink(folder: Folder, link: string, id: string): void {
  if (readLink(folder, link) === id) unlinkIfThere(folder, link);
}

export function hasData(folder: Folder, id: string): boolean {
  return existsSync(inside(folder, dataFileName(id)));
}

export function unlinkIfThere(folder: Folder, name: string): void {
  try {
    unlinkSync(inside(folder, name));
  } catch (error) {
    if (errorNumberOf(error) !== 'ENOENT') throw toStorageError(error, 'unlink upload');
  }
}
