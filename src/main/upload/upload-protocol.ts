/**
 * The port between upload protocols and the upload service. A protocol is a translator without state or I/O: it turns a
 * request into a command, and an outcome into an answer.
 */

import type { UploadProtocol as ProtocolName } from '../../shared/events.ts';
import type { FileKey, StoredFile } from '../../shared/files.ts';
import type {
  ExpectedDigest,
  ResourceName,
  ResumableCommand,
  ResumableFailure,
  ResumableOutcome,
} from '../../shared/resumable.ts';
import type { CreationGrant, UploadAuthorization, UploadGrant } from '../auth/grant.ts';
import type { SlotParameters } from '../auth/slot-parameters.ts';
import type { Answer, RequestHead } from '../http/exchange.ts';
import type { ResponseFields } from '../http/field-line.ts';
import type { Problem } from '../http/problem.ts';

/** What a request is about. */
export type UploadRequestTarget =
  /** A file, its target and query read: the slot URL is the creation URL of every protocol. */
  | { readonly kind: 'slot'; readonly key: FileKey; readonly parameters: SlotParameters }
  /** An upload in progress, by its own URL. */
  | { readonly kind: 'resource'; readonly name: ResourceName };

export interface UploadRequest {
  readonly head: RequestHead;
  /** That of the head, or what a POST says instead (X-HTTP-Method-Override). */
  readonly method: string;
  readonly target: UploadRequestTarget;
  readonly nowSeconds: number;
}

/** Take this body as the whole file. */
export interface StoreCommand {
  readonly type: 'store';
  readonly grant: UploadGrant;
  /** Over the body. */
  readonly digests: readonly ExpectedDigest[];
}

/** A command on an upload that can be gone on with. */
export interface GoOnCommand {
  readonly type: 'resumable';
  readonly command: ResumableCommand;
  /** Of creations, for the log; null: the upload's own URL is the authority. */
  readonly grant: CreationGrant | null;
}

export type UploadCommand = StoreCommand | GoOnCommand;

export type ParsedUpload =
  | { readonly kind: 'command'; readonly command: UploadCommand }
  | Extract<UploadAuthorization, { kind: 'refused' }>;

export type UploadOutcome =
  | { readonly type: 'stored'; readonly file: StoredFile }
  | { readonly type: 'resumable'; readonly command: ResumableCommand; readonly outcome: ResumableOutcome };

export interface UploadRefusal {
  /** What it means for a protocol that has no words of its own for it. */
  readonly problem: Problem;
  /** Where a worker refused or failed it. */
  readonly failure: ResumableFailure | null;
}

export interface UploadProtocol {
  readonly name: ProtocolName;
  /** Looks at the head alone. */
  recognizes(request: UploadRequest): boolean;
  /** Makes every check that needs neither HMAC nor store. */
  parse(request: UploadRequest): ParsedUpload;
  respond(outcome: UploadOutcome, request: UploadRequest): Answer;
  reject(refusal: UploadRefusal, request: UploadRequest): Answer;
  /** What the answer to OPTIONS says about the protocol. */
  describe(): ResponseFields;
}
