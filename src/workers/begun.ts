/** What the two halves of a command on an upload say to each other: taking the upload in hand, and what is done with it. */

import type { Secrets, VerifiedUpload } from '../shared/messages.ts';
import type { ResumableBody } from '../shared/resumable.ts';
import type { HeldUpload } from './storage/uploads/held-upload.ts';
import type { UploadRecord } from './storage/uploads/upload-record.ts';
import type { Created, UploadStore } from './storage/uploads/upload-store.ts';

export interface BeginContext {
  readonly uploads: UploadStore;
  readonly secrets: Secrets;
  readonly allowedExtensions: ReadonlySet<string> | null;
  /** An existing file is replaced in the end. */
  readonly mayReplace: boolean;
  readonly isGivenUp: () => boolean;
  /** Told as soon as a signature verified. */
  readonly onVerified: (verified: VerifiedUpload) => void;
  /** Told of the upload that a failure is about. */
  readonly onFound: (record: UploadRecord) => void;
  /** Told of the upload that is no more because of a failure. */
  readonly onDiscarded: (record: UploadRecord) => void;
}

/** An upload in hand. */
export interface Begun {
  readonly held: HeldUpload;
  readonly displaced: UploadRecord | null;
  /** Made by this command. */
  readonly isNew: boolean;
  /** Length of the finished upload, as far as it is known. */
  readonly length: number | null;
  /** What is to be received; null: nothing. */
  readonly body: ResumableBody | null;
}

export function newlyBegun(created: Created | null, length: number | null, body: ResumableBody): Begun | null {
  return created === null ? null : { ...created, isNew: true, length, body };
}
