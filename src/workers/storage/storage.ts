/**
 * The store as the lane sees it, written by its consumer. Every method works on the calling thread; failures are thrown
 * as StorageError. Implementations promise: nothing is visible under a key before its commit, and a commit that
 * succeeded is as durable as configured.
 */

import type { DeletedFile, FileInfo, FileKey } from '../../shared/files.ts';
import type { SignedTerms } from '../../shared/signature.ts';
import type { Committed } from './committed.ts';
import type { Created, UploadStore } from './uploads/upload-store.ts';

/** What its signature does not say counts as null. */
export interface NewUpload extends Partial<SignedTerms> {
  readonly key: FileKey;
  /** The exact number of bytes that will be written. */
  readonly size: number;
  /** Media type to keep with the content; null: the one that the extension gives. */
  readonly type: string | null;
  /** A file of that name is replaced, and so many of its old contents are kept. Without it the name must be free. */
  readonly keepVersions?: number | null;
  /** An operator brings the content back: it may go where a file was deleted or has expired. */
  readonly mayReopen?: boolean;
  /** All of its bytes are here: that its slot is taken need not be found out before they are written. */
  readonly isAllHere?: boolean;
}

/** An upload in progress: invisible until `commit`. After `commit`, `keep` or `discard` no other method may be called. */
export interface StagedUpload {
  readonly writtenBytes: number;
  /** Appends; more than the declared size is an error. */
  write(bytes: Uint8Array): void;
  /** Publishes the content under its key, or leaves nothing. Errors: size-mismatch, exists, path-conflict, no-space, io. */
  commit(): Promise<Committed>;
  /**
   * Keeps what was written as an upload of the slot that is called `id`, held, instead of a commit; null: nothing was
   * written, the slot has an upload of another protocol, or there are too many. Errors: exists, path-conflict, no-space,
   * io. When it is not kept nothing is left.
   */
  keep(id: string): Promise<Created | null>;
  /** Leaves nothing. Never throws. */
  discard(): void;
}

/** One stored content, open for reading: replacing or deleting the file does not disturb it. */
export interface OpenFile {
  readonly info: FileInfo;
  readonly fileId: string;
  /** Milliseconds since the epoch; null: never. */
  readonly expiresMs: number | null;
  /** It lies below the store at the path that its key is, where others may read it as well. */
  readonly isAtOwnPath: boolean;
  /** Fills `target` from `position` and returns how many bytes there were; fewer only at the end of the file. */
  read(target: Uint8Array, position: number): number;
  close(): void;
}

export interface Storage {
  /** Those that can be gone on with. */
  readonly uploads: UploadStore;
  /** Errors: exists (not with `keepVersions`), path-conflict, over-quota, no-space, store-unavailable, too-many-files, io. */
  createUpload(upload: NewUpload): StagedUpload;
  /** Errors: not-found, too-many-files, io. */
  openFile(key: FileKey): OpenFile;
  /**
   * Removes a file with all of its old contents, as durably as configured, and closes its slot for as long as its signature
   * could be used again. null: there was none. Errors: too-many-files, denied, io.
   */
  deleteFile(key: FileKey): Promise<DeletedFile | null>;
}
