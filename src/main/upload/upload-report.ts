/** What becomes of uploads, told to the dispatcher: one created, any number of suspended, then exactly one end. */

import type { CutReason, EventPublisher, UploadRef } from '../../shared/events.ts';
import type { FileKey, ReplacedContent, StoredFile } from '../../shared/files.ts';
import type { VerifiedUpload } from '../../shared/messages.ts';
import type { ResumableErrorCode, UploadState } from '../../shared/resumable.ts';
import type { SignatureCheck } from '../../shared/signature.ts';
import type { StorageErrorCode } from '../../shared/storage-error.ts';

/** How an upload is named in events, and how old it is. */
export interface ReportedUpload extends UploadRef {
  readonly durationMs: number;
}

/** Of an upload that can be gone on with: its age counts from its creation, whatever request is running. */
export function reportedUpload({ name, fileId, protocol, createdAtMs }: UploadState): ReportedUpload {
  return { uploadId: name.id, fileId, protocol, durationMs: Math.max(0, Date.now() - createdAtMs) };
}

export class UploadReport {
  private readonly events: EventPublisher;

  constructor(events: EventPublisher) {
    this.events = events;
  }

  verified(requestId: string, { scheme }: SignatureCheck, { secret }: VerifiedUpload): void {
    this.events.publish({ type: 'signature.checked', requestId, scheme, result: 'ok', secret });
  }

  created(ref: UploadRef, sizeBytes: number | null): void {
    const { uploadId, fileId, protocol } = ref;
    this.events.publish({ type: 'upload.created', sizeBytes, uploadId, fileId, protocol });
  }

  suspended(upload: ReportedUpload, offsetBytes: number, reason: CutReason): void {
    this.events.publish({ type: 'upload.suspended', offsetBytes, reason, ...upload });
  }

  completed(upload: ReportedUpload, key: FileKey, file: StoredFile, replaced: ReplacedContent | null): void {
    this.events.publish({ type: 'upload.completed', path: key, sizeBytes: file.size, ...upload });
    if (replaced !== null) this.rotated(upload, key, replaced);
  }

  discarded(upload: ReportedUpload, receivedBytes: number, reason: CutReason): void {
    this.events.publish({ type: 'upload.discarded', receivedBytes, reason, ...upload });
  }

  /** The upload of a slot that another one took the place of. */
  displaced(state: UploadState): void {
    this.discarded(reportedUpload(state), state.offset, 'handover');
  }

  private rotated({ uploadId, fileId }: UploadRef, path: FileKey, replaced: ReplacedContent): void {
    const { versionId, size, removedVersions } = replaced;
    if (versionId !== null) {
      this.events.publish({ type: 'version.rotated', uploadId, sizeBytes: size, fileId, path, versionId });
    }
    for (const removed of removedVersions) {
      this.events.publish({ type: 'version.removed', fileId, path, versionId: removed });
    }
  }
}

/** What a failure means for the bytes that it cut off. */
export const cutReasons = {
  'signature-mismatch': 'client',
  exists: 'conflict',
  'path-conflict': 'conflict',
  'not-found': 'io',
  'no-space': 'no_space',
  'over-quota': 'over_quota',
  'too-large': 'too_large',
  'size-mismatch': 'client',
  'digest-mismatch': 'client',
  'store-unavailable': 'io',
  'too-many-files': 'io',
  overloaded: 'io',
  denied: 'io',
  io: 'io',
  'worker-lost': 'io',
  'upload-unknown': 'client',
  'upload-gone': 'client',
  'upload-protocol': 'client',
  'offset-mismatch': 'client',
  'length-mismatch': 'client',
  'length-exceeded': 'too_large',
  'length-unsigned': 'client',
  'body-too-long': 'too_large',
  'body-too-short': 'client',
  'upload-complete': 'client',
  'upload-final': 'client',
  'part-unusable': 'client',
  'too-many-uploads': 'no_space',
  'extension-disallowed': 'client',
} satisfies Record<StorageErrorCode | ResumableErrorCode, CutReason>;
