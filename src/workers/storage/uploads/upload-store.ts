/**
 * Uploads that can be gone on with, as the lane sees them: part of the port `storage.ts`. An upload is changed by whoever
 * holds it, and nobody else.
 */

import type { FileKey } from '../../../shared/files.ts';
import type { Holding } from '../../../shared/upload-holders.ts';
import type { Committed } from '../committed.ts';
import type { HeldUpload } from './held-upload.ts';
import type { UploadRecord } from './upload-record.ts';

/** What a creation says; `id` was never used before. The rest of the record follows from it. */
export interface NewResumable
  extends Omit<UploadRecord, 'path' | 'link' | 'phase' | 'offset' | 'createdMs' | 'endsMs' | 'touchedMs'> {
  readonly key: FileKey;
}

export interface CreationOptions {
  /** An existing file is replaced in the end. */
  readonly mayReplace: boolean;
  readonly isGivenUp: () => boolean;
}

/** An upload that was made, and the unfinished one whose place it took. */
export interface Created {
  readonly held: HeldUpload;
  readonly displaced: UploadRecord | null;
}

export interface UploadStore {
  /** null: nothing is known of such an upload. Errors: io. */
  look(id: string): UploadRecord | null;
  /** What occupies the slot, finished or not; null: nothing that is known. Errors: io. */
  lookAtSlot(key: FileKey): UploadRecord | null;
  /** The file was committed, and only the memory of the upload is left. */
  isFinished(record: UploadRecord): boolean;
  /** Given up when it is unfinished, forgotten otherwise; in milliseconds since the epoch. */
  expiresMs(record: UploadRecord): number;
  /** True when its time is over, whether or not it has been removed. */
  isExpired(record: UploadRecord): boolean;
  /** Errors: exists (not with `mayReplace`; always where a file was deleted), path-conflict, when the slot has a file. */
  refuseTaken(key: FileKey, mayReplace: boolean): void;
  /**
   * Says that a plain upload of this slot is being received, which whoever goes on with the slot may ask for. null: another
   * one says so.
   */
  holdSlot(key: FileKey): Holding | null;
  /** Asks the plain upload that holds the slot for it, and waits until what arrived is kept. False: given up meanwhile. */
  awaitSlot(key: FileKey, isGivenUp: () => boolean): Promise<boolean>;
  /** Takes an upload over from whoever works on it. null: given up while waiting. Errors: upload-unknown, io. */
  take(id: string, isGivenUp: () => boolean): Promise<HeldUpload | null>;
  /**
   * Makes an upload, empty and held; durable after its first `settle`. null: given up while its slot was being freed.
   * Errors: exists, path-conflict, over-quota, no-space, too-many-uploads, too-many-files, io.
   */
  create(order: NewResumable, options: CreationOptions): Promise<Created | null>;
  /** The bytes of finished parts, in this order. Errors: no-space, part-unusable, io. */
  appendParts(held: HeldUpload, parts: readonly UploadRecord[], isGivenUp: () => boolean): Promise<void>;
  /** Publishes all that was written, as `StagedUpload.commit` does. Errors also: digest-mismatch. */
  complete(held: HeldUpload, keepVersions: number | null): Promise<Committed>;
}
