/**
 * From what a command names to an upload that exists: by its own URL, whose MAC is verified, or by its slot, whose
 * signature is. Nothing is told of an upload, and nobody who works on it is disturbed, before that.
 */

import { randomBytes } from 'node:crypto';
import type { FileKey } from '../shared/files.ts';
import type { Secrets, VerifiedUpload } from '../shared/messages.ts';
import type { ResumableProtocol, UploadTarget } from '../shared/resumable.ts';
import type { SignatureCheck } from '../shared/signature.ts';
import { isResourceMac } from './resource-mac.ts';
import { StorageError } from './storage/storage-error.ts';
import { fileIdOf, hashOf } from './storage/store-layout.ts';
import { UploadError } from './storage/uploads/upload-error.ts';
import type { UploadRecord } from './storage/uploads/upload-record.ts';
import type { UploadStore } from './storage/uploads/upload-store.ts';
import { verifySignature } from './verify-signature.ts';

const ID_BYTES = 16;

/** A name for an upload that no other has. */
export function newUploadId(): string {
  return randomBytes(ID_BYTES).toString('hex');
}

/** What a signature on a slot opens. */
export interface OpenedSlot {
  readonly verified: VerifiedUpload;
  /** Media type to keep; null: the one that the extension gives. */
  readonly storedType: string | null;
}

/** Errors: signature-mismatch. */
export function openSlot(key: FileKey, signature: SignatureCheck, secrets: Secrets): OpenedSlot {
  const match = verifySignature(signature, secrets);
  if (match === null) throw new StorageError('signature-mismatch', signature.scheme);
  const verified = { fileId: fileIdOf(hashOf(key)), secret: match.secret };
  return { verified, storedType: match.message.storedType };
}

/** Errors: upload-unknown, the same for an unknown id and a wrong MAC. */
export function findByName(
  uploads: UploadStore,
  secrets: Secrets,
  { id, mac }: Extract<UploadTarget, { kind: 'resource' }>['name'],
): UploadRecord {
  const record = uploads.look(id);
  if (!isResourceMac(mac, record, secrets) || record === null) throw new UploadError('upload-unknown');
  return record;
}

/** What this protocol can go on with; null: nothing, or it is over. */
export function findOnSlot(uploads: UploadStore, key: FileKey, protocol: ResumableProtocol): UploadRecord | null {
  const record = uploads.lookAtSlot(key);
  if (record === null || record.protocol !== protocol || record.path !== key) return null;
  if (uploads.isFinished(record)) return record;
  return record.phase === 'replaced' || record.phase === 'refused' || uploads.isExpired(record) ? null : record;
}
