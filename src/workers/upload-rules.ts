/** What an upload that can be gone on with may become: lengths and states, checked before anything is received. */

import type { AppendUpload, CreateUpload, ResumableBody, ResumableProtocol } from '../shared/resumable.ts';
import { StorageError } from './storage/storage-error.ts';
import { UploadError } from './storage/uploads/upload-error.ts';
import { isFinishedPart, type UploadRecord } from './storage/uploads/upload-record.ts';
import type { UploadStore } from './storage/uploads/upload-store.ts';

/** The lengths of an upload. */
export type Lengths = Pick<UploadRecord, 'length' | 'maxLength' | 'signedLength' | 'concatenation'>;

/** Nothing may become longer; null: no limit. */
export function limitOf({ length, maxLength, signedLength }: Lengths): number | null {
  const limits = [length, maxLength, signedLength].filter((limit) => limit !== null);
  return limits.length === 0 ? null : Math.min(...limits);
}

/** Errors: length-unsigned, length-exceeded. */
export function refuseLength(
  length: number,
  { maxLength, signedLength, concatenation }: Omit<Lengths, 'length'>,
): void {
  // Parts are smaller than the whole, whose length is signed.
  const isSigned = signedLength === null || length === signedLength || concatenation === 'partial';
  if (!isSigned) throw new UploadError('length-unsigned');
  const limit = limitOf({ length: null, maxLength, signedLength, concatenation });
  if (limit !== null && length > limit) throw new UploadError('length-exceeded');
}

/** Errors: length-unsigned, length-exceeded, body-too-long, body-too-short. */
export function refuseCreation({ length, body, ...command }: CreateUpload): void {
  const { maxLength, signedLength } = command;
  const lengths: Lengths = { length, maxLength, signedLength, concatenation: command.concatenation?.kind ?? 'none' };
  if (length !== null) refuseLength(length, lengths);
  if (body !== null) refuseBody(body, 0, lengths);
}

/** Errors: length-mismatch, length-unsigned, length-exceeded, offset-mismatch, body-too-long, body-too-short. */
export function refuseAppend({ length, offset, body }: AppendUpload, record: UploadRecord): void {
  if (record.length !== null && length !== null && length !== record.length) throw new UploadError('length-mismatch');
  if (record.length === null && length !== null) {
    refuseLength(length, record);
    if (length < record.offset) throw new UploadError('length-mismatch', 'below the offset');
  }
  if (offset !== record.offset) throw new UploadError('offset-mismatch');
  refuseBody(body, offset, { ...record, length: record.length ?? length });
}

/** What its length tells of a body that has not arrived. Errors: body-too-long, body-too-short. */
export function refuseBody(body: ResumableBody, offset: number, lengths: Lengths): void {
  if (body.length === null) return;
  const end = offset + body.length;
  const limit = limitOf(lengths);
  if (limit !== null && end > limit) throw new UploadError('body-too-long');
  if (body.completes === true && end < (lengths.length ?? 0)) throw new UploadError('body-too-short');
}

/** Whether the upload may be spoken of at all. Errors: upload-protocol, upload-gone, exists. */
export function refuseOver(uploads: UploadStore, record: UploadRecord, protocol: ResumableProtocol): void {
  if (record.protocol !== protocol) throw new UploadError('upload-protocol');
  if (record.phase === 'replaced') throw new UploadError('upload-gone', 'replaced');
  if (record.phase === 'refused') throw new StorageError('exists', 'the slot has another content');
  if (!uploads.isFinished(record) && uploads.isExpired(record)) throw new UploadError('upload-gone', 'expired');
}

/** True when nothing can be appended any more. */
export function isEnded(uploads: UploadStore, record: UploadRecord): boolean {
  return uploads.isFinished(record) || isFinishedPart(record);
}

/** The length that the upload has once `total` bytes are all of it. Errors: body-too-short, body-too-long. */
export function settledLength(total: number, { length, signedLength, concatenation }: Lengths): number {
  const expected = length ?? (concatenation === 'partial' ? total : (signedLength ?? total));
  if (total < expected) throw new UploadError('body-too-short');
  if (total > expected) throw new UploadError('body-too-long');
  return expected;
}
