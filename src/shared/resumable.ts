/**
 * Uploads that can be stopped and gone on with, as both threads speak of them. One engine serves every protocol: create,
 * append at an offset, inspect, discard; an upload completes with the append that brings its last byte. Plain data only.
 */

import type { FileKey, ReplacedContent, StoredFile } from './files.ts';
import type { SignatureCheck, SignedTerms } from './signature.ts';
import type { StorageErrorCode } from './storage-error.ts';

/** What made an upload resource, and what alone may go on with it. A plain PUT that was cut is gone on with as `range`. */
export type ResumableProtocol = 'range' | 'tus' | 'ietf';

/** What follows `/.hfs/u/`: unchecked until the lane has compared the MAC. */
export interface ResourceName {
  /** 128 random bits in lower-case hexadecimal digits. */
  readonly id: string;
  /** 128 bits of a MAC as base64url; see `resource-mac.ts`. */
  readonly mac: string;
}

/**
 * How an upload is named: by its own URL, or by the slot that it occupies. On a slot (PUT with Content-Range) an append at
 * offset 0 also makes the upload, of the length that it declares, when there is none; an append at another offset is then
 * an `offset-mismatch` without a state. Another length than the upload has is a `length-mismatch`. To inspect a slot whose
 * file is there, and has no unfinished upload beside it, is `exists`.
 */
export type UploadTarget =
  | { readonly kind: 'resource'; readonly name: ResourceName }
  | { readonly kind: 'slot'; readonly key: FileKey; readonly signature: SignatureCheck; readonly terms: SignedTerms };

/** Its use in a concatenation (tus, Concatenation). */
export type Concatenation =
  | { readonly kind: 'partial' }
  /** `text` is the value of Upload-Concat as it came. */
  | { readonly kind: 'final'; readonly parts: readonly ResourceName[]; readonly text: string };

/** What bytes must hash to. */
export interface ExpectedDigest {
  readonly algorithm: 'md5' | 'sha1' | 'sha256' | 'sha512';
  /** Padded Base64. */
  readonly value: string;
}

/** The body of a request that creates or appends. */
export interface ResumableBody {
  /** Its length in bytes; null: chunked coding, known when it is over. */
  readonly length: number | null;
  /** Over this body alone. With one of them nothing counts before the whole body has arrived and been compared. */
  readonly digests: readonly ExpectedDigest[];
  /** Whether the upload is complete with this body; null: when it has reached its length. */
  readonly completes: boolean | null;
}

export interface CreateUpload {
  readonly type: 'create';
  readonly protocol: ResumableProtocol;
  readonly key: FileKey;
  /** Over the signed size; the stored type is that of the reading that verifies. */
  readonly signature: SignatureCheck;
  /** Length of the finished upload, as declared; null: not known yet. */
  readonly length: number | null;
  /** No upload may become longer: the signed size, or the limit of the server; null: no limit. */
  readonly maxLength: number | null;
  /** The finished upload has exactly this length (the signed size); null: none is signed. */
  readonly signedLength: number | null;
  /** Upload-Metadata as it came; null: none. */
  readonly metadata: string | null;
  readonly concatenation: Concatenation | null;
  /** Over the whole file, compared at completion. */
  readonly digests: readonly ExpectedDigest[];
  readonly terms: SignedTerms;
  /** null: the upload is created empty. */
  readonly body: ResumableBody | null;
}

export interface AppendUpload {
  readonly type: 'append';
  readonly protocol: ResumableProtocol;
  readonly target: UploadTarget;
  /** Where the body goes. */
  readonly offset: number;
  /** Length of the finished upload, when this request declares it. */
  readonly length: number | null;
  readonly body: ResumableBody;
}

export interface InspectUpload {
  readonly type: 'inspect';
  readonly protocol: ResumableProtocol;
  readonly target: UploadTarget;
}

export interface DiscardUpload {
  readonly type: 'discard';
  readonly protocol: ResumableProtocol;
  readonly target: UploadTarget;
}

export type ResumableCommand = CreateUpload | AppendUpload | InspectUpload | DiscardUpload;

/** An upload at one moment. */
export interface UploadState {
  readonly name: ResourceName;
  readonly key: FileKey;
  /** First 12 hex digits of the SHA-256 of the path. */
  readonly fileId: string;
  readonly protocol: ResumableProtocol;
  /** So many bytes are as durable as configured: where the client goes on. */
  readonly offset: number;
  /** null: not known yet. */
  readonly length: number | null;
  /** In milliseconds since the epoch. */
  readonly createdAtMs: number;
  /** The file has been committed (or, of a partial upload, it may be concatenated). */
  readonly isComplete: boolean;
  /** When the unfinished upload is given up, in milliseconds since the epoch. */
  readonly expiresAtMs: number;
  readonly metadata: string | null;
  readonly concatenation: 'none' | 'partial' | 'final';
  /** Upload-Concat as it came; null: none. */
  readonly concatText: string | null;
}

/** What a command did. `file` is set by the command that completed the upload. */
export interface ResumableOutcome {
  readonly state: UploadState;
  readonly completed: { readonly file: StoredFile; readonly replaced: ReplacedContent | null } | null;
}

/** Ways of failing that only uploads know which can be gone on with. */
export type ResumableErrorCode =
  /** Unknown id, wrong MAC, or discarded: all look the same. */
  | 'upload-unknown'
  /** It was there, and is over: expired, or replaced by a new creation on its slot. */
  | 'upload-gone'
  /** Another protocol made it. */
  | 'upload-protocol'
  /** The offset is not where the upload is. */
  | 'offset-mismatch'
  /** Lengths contradict each other, or a length that was set is changed, or it is below the offset. */
  | 'length-mismatch'
  /** Longer than `maxLength`, or than the signed size. */
  | 'length-exceeded'
  /** The declared length is not the signed one. */
  | 'length-unsigned'
  /** More bytes than the length: what fits and was received before counts, unless the protocol says otherwise. */
  | 'body-too-long'
  /** Fewer bytes than a complete upload needs. */
  | 'body-too-short'
  /** Appending to a finished upload, or discarding one. */
  | 'upload-complete'
  /** A final upload takes no bytes. */
  | 'upload-final'
  /** A part of a concatenation is unknown, unfinished, or none. */
  | 'part-unusable'
  /** Too many unfinished uploads, of the server or of the slot. */
  | 'too-many-uploads'
  /** AllowedExtensions has changed since the upload was created, and no longer has its extension. */
  | 'extension-disallowed';

/** A failure of a command; `state` is the upload's afterwards, where there is one and the client may know it. */
export interface ResumableFailure {
  readonly code: StorageErrorCode | ResumableErrorCode;
  readonly detail: string;
  readonly state: UploadState | null;
  /** The upload that is no more because of this failure, as it was; null: there is none. */
  readonly discarded: UploadState | null;
}
