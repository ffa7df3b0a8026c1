/**
 * Every message between main and the lanes; what the jobs of the pool are given stands in `worker-jobs.ts`. Main and lane
 * talk over one MessagePort; a transfer is named by a positive integer that main gives out and never uses twice on one
 * lane. Messages of one turn travel together, in their order. ArrayBuffers are moved, never copied: who sends one no
 * longer has it.
 */

import type { DeletedFile, FileInfo, FileKey, ReplacedContent, StoredFile } from './files.ts';
import type { ExpectedDigest, ResumableCommand, ResumableFailure, ResumableOutcome, UploadState } from './resumable.ts';
import type { SecretKind, SignatureCheck, SignatureHint, SignedTerms } from './signature.ts';
import type { SignatureQuestion } from './signature-question.ts';
import type { StorageFailure } from './storage-error.ts';

/** Secrets that verify signatures: the current one first. */
export type Secrets = readonly [string, ...string[]];

/** The lane's end of the channel. How messages look on their way is told in `packed-messages.ts`. */
export interface LanePort {
  postMessage(messages: FromLaneBatch, moved: readonly ArrayBuffer[]): void;
  on(event: 'message', listener: (messages: ToLaneBatch) => void): unknown;
  once(event: 'close', listener: () => void): unknown;
}

/** A run of body bytes in a moved buffer. */
export interface BodyPiece {
  readonly buffer: ArrayBuffer;
  /** How many bytes of the buffer count, from its start. */
  readonly length: number;
  /** True for the piece that ends the body. */
  readonly isLast: boolean;
}

/** An upload, or a deletion, whose signature verified. */
export interface VerifiedUpload {
  /** First 12 hex digits of the SHA-256 of the path: joins log lines, opens nothing. */
  readonly fileId: string;
  readonly secret: SecretKind;
}

export type ToLane =
  | { readonly type: 'secrets'; readonly secrets: Secrets }
  | {
      readonly type: 'upload.open';
      readonly transfer: number;
      /** What the upload is called when it is kept: 32 lower-case hexadecimal digits, never used before. */
      readonly uploadId: string;
      readonly key: FileKey;
      /** The signed size in bytes: the body must have exactly this length. */
      readonly size: number;
      /** Over the body. */
      readonly digests: readonly ExpectedDigest[];
      /** An existing file is replaced, and so many of its old contents are kept; null: the slot must be free. */
      readonly keepVersions: number | null;
      /** When its client leaves, what arrived is kept as an upload of the slot, and `resumable.suspended` is answered. */
      readonly isResumable: boolean;
      readonly signature: SignatureCheck;
      readonly terms: SignedTerms;
      /** The first body bytes when they came with the head; null: they follow. */
      readonly piece: BodyPiece | null;
    }
  /**
   * A command on an upload that can be gone on with. When it has a body, pieces follow as `upload.data`; `upload.abort`
   * then means that the client is gone: what arrived is kept.
   */
  | {
      readonly type: 'resumable.open';
      readonly transfer: number;
      readonly command: ResumableCommand;
      /** An append to a name with another extension is refused; null: all are allowed. Lower case, `''`: no extension. */
      readonly allowedExtensions: ReadonlySet<string> | null;
      /** Of an existing file that the finished upload replaces; null: the slot must be free. */
      readonly keepVersions: number | null;
      readonly piece: BodyPiece | null;
    }
  | { readonly type: 'upload.data'; readonly transfer: number; readonly piece: BodyPiece }
  | { readonly type: 'upload.abort'; readonly transfer: number }
  /** Answered once, by `signature.explained`. */
  | { readonly type: 'signature.explain'; readonly transfer: number; readonly question: SignatureQuestion }
  /** Answered once, by `delete.done` or `delete.failed`. */
  | {
      readonly type: 'file.delete';
      readonly transfer: number;
      readonly key: FileKey;
      readonly signature: SignatureCheck;
    }
  | {
      readonly type: 'download.open';
      readonly transfer: number;
      readonly key: FileKey;
      /** Where the wanted bytes probably begin; the answer carries bytes from there. */
      readonly offset: number;
      /** Filled from `offset`; null: only the FileInfo is wanted, nothing is kept open. */
      readonly buffer: ArrayBuffer | null;
    }
  | {
      readonly type: 'download.read';
      readonly transfer: number;
      readonly offset: number;
      /** At most this many bytes, and at most what the buffer holds. */
      readonly length: number;
      readonly buffer: ArrayBuffer;
    }
  | { readonly type: 'download.close'; readonly transfer: number }
  /** Asks for the digest of a run of bytes of a stored content. It is its transfer's only message. */
  | {
      readonly type: 'digest.compute';
      readonly transfer: number;
      readonly key: FileKey;
      /** Of the content that is meant. */
      readonly validator: string;
      readonly algorithm: 'sha256' | 'sha512';
      readonly first: number;
      readonly length: number;
    };

export type ToLaneBatch = readonly ToLane[];

export type FromLane =
  /** The bytes of one piece are written; the buffer comes back. */
  | { readonly type: 'upload.written'; readonly transfer: number; readonly buffer: ArrayBuffer }
  /** The signature verified and the body is being received. Not sent for a body that came whole with its head. */
  | {
      readonly type: 'upload.accepted';
      readonly transfer: number;
      readonly verified: VerifiedUpload;
      readonly buffer: null;
    }
  /** Committed as durable as configured. No message about the transfer follows. */
  | {
      readonly type: 'upload.stored';
      readonly transfer: number;
      readonly file: StoredFile;
      /** What the file took the place of. */
      readonly replaced: ReplacedContent | null;
      readonly verified: VerifiedUpload;
      /** The buffer of the last piece. */
      readonly buffer: ArrayBuffer;
    }
  /** Refused or failed, nothing is left. Pieces that still arrive come back as `buffer.returned`. */
  | {
      readonly type: 'upload.failed';
      readonly transfer: number;
      readonly failure: StorageFailure;
      /** null: the signature did not verify. */
      readonly verified: VerifiedUpload | null;
      readonly buffer: ArrayBuffer | null;
    }
  /** The upload exists, is held by this transfer, and the body is still coming. Not sent for commands without a body. */
  | {
      readonly type: 'resumable.accepted';
      readonly transfer: number;
      readonly state: UploadState;
      readonly verified: VerifiedUpload | null;
      readonly buffer: null;
    }
  /**
   * Of either kind of upload, before its last message: it took the place of an unfinished upload of its slot, which is no
   * more.
   */
  | {
      readonly type: 'resumable.displaced';
      readonly transfer: number;
      readonly state: UploadState;
      readonly buffer: null;
    }
  /** The command is done. No message about the transfer follows. */
  | {
      readonly type: 'resumable.done';
      readonly transfer: number;
      readonly outcome: ResumableOutcome;
      /** Of commands whose signature was verified, not of those on an upload's own URL. */
      readonly verified: VerifiedUpload | null;
      readonly buffer: ArrayBuffer | null;
    }
  /** Refused or failed; the upload is as `failure.state` says. Pieces that still arrive come back as `buffer.returned`. */
  | {
      readonly type: 'resumable.failed';
      readonly transfer: number;
      readonly failure: ResumableFailure;
      readonly verified: VerifiedUpload | null;
      readonly buffer: ArrayBuffer | null;
    }
  /**
   * Of either kind of upload whose body is still coming: another request wants to go on with it, and waits. Main sends what
   * has arrived of the body by now, and `upload.abort` after it. May come late, when either was sent already.
   */
  | { readonly type: 'upload.wanted'; readonly transfer: number; readonly buffer: null }
  /**
   * After `upload.abort`: what arrived is kept, as durable as configured. Not sent when the outcome was decided before.
   * No message about the transfer follows.
   */
  | {
      readonly type: 'resumable.suspended';
      readonly transfer: number;
      /** null: nothing was kept. */
      readonly state: UploadState | null;
      readonly buffer: null;
    }
  | {
      readonly type: 'signature.explained';
      readonly transfer: number;
      readonly hint: SignatureHint | null;
      readonly buffer: null;
    }
  /** The file, null when there was none, is gone as durably as configured. */
  | {
      readonly type: 'delete.done';
      readonly transfer: number;
      readonly file: DeletedFile | null;
      readonly verified: VerifiedUpload;
      readonly buffer: null;
    }
  | {
      readonly type: 'delete.failed';
      readonly transfer: number;
      readonly failure: StorageFailure;
      /** null: the signature did not verify. */
      readonly verified: VerifiedUpload | null;
      readonly buffer: null;
    }
  | {
      readonly type: 'download.opened';
      readonly transfer: number;
      readonly file: FileInfo;
      readonly fileId: string;
      /** When the file expires, in milliseconds since the epoch; null: never. */
      readonly expiresMs: number | null;
      /** The content lies below the store at the path that its key is. */
      readonly isAtOwnPath: boolean;
      readonly buffer: ArrayBuffer | null;
      /** Bytes in the buffer, read from the `offset` of the request. */
      readonly length: number;
      /** False: the whole file is in the buffer, or no bytes were asked for, and the lane keeps nothing. */
      readonly isOpen: boolean;
    }
  | {
      readonly type: 'download.bytes';
      readonly transfer: number;
      readonly offset: number;
      readonly buffer: ArrayBuffer;
      readonly length: number;
    }
  /** The file is not there, or reading failed; the lane keeps nothing. */
  | {
      readonly type: 'download.failed';
      readonly transfer: number;
      readonly failure: StorageFailure;
      readonly buffer: ArrayBuffer | null;
    }
  | {
      readonly type: 'digest.computed';
      readonly transfer: number;
      /** Padded Base64; null: the content is not there any more, or cannot be read. */
      readonly digest: string | null;
      readonly buffer: null;
    }
  /** A buffer whose transfer is over. */
  | { readonly type: 'buffer.returned'; readonly buffer: ArrayBuffer };

export type FromLaneBatch = readonly FromLane[];
