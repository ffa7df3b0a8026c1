/** An upload as main is told of it. */

import type { Secrets } from '../shared/messages.ts';
import type { UploadState } from '../shared/resumable.ts';
import { resourceMac } from './resource-mac.ts';
import { fileIdOf, hashOf } from './storage/store-layout.ts';
import type { UploadRecord } from './storage/uploads/upload-record.ts';
import type { UploadStore } from './storage/uploads/upload-store.ts';
import { isEnded } from './upload-rules.ts';

/** The URL is that of the current secret. */
export function stateOf(uploads: UploadStore, secrets: Secrets, record: UploadRecord): UploadState {
  const { id, path: key, protocol, offset, length, metadata, concatenation, concatText } = record;
  return {
    name: { id, mac: resourceMac(secrets[0], record) },
    key,
    fileId: fileIdOf(hashOf(key)),
    protocol,
    offset,
    length,
    createdAtMs: record.createdMs,
    isComplete: isEnded(uploads, record),
    expiresAtMs: uploads.expiresMs(record),
    metadata,
    concatenation,
    concatText,
  };
}
