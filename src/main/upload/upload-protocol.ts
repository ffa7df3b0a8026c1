/**
 * The port between upload protocols and the upload service. A protocol is a translator without state or I/O: it turns a
 * request into a command, and an outcome into an answer.
 */

import type { UploadProtocol as ProtocolName } from '../../shared/events.ts';
import type { FileInfo, FileKey } from '../../shared/files.ts';
import type { UploadAuthorization, UploadGrant } from '../auth/grant.ts';
import type { SlotParameters } from '../auth/slot-parameters.ts';
import type { Answer, RequestHead } from '../http/exchange.ts';
import type { Problem } from '../http/problem.ts';

/** A request for a file, its target and query read. */
export interface SlotUpload {
  readonly head: RequestHead;
  readonly key: FileKey;
  readonly parameters: SlotParameters;
  readonly nowSeconds: number;
}

/** Take this body as the whole file. */
export interface CreateCommand {
  readonly type: 'create';
  readonly grant: UploadGrant;
}

export type UploadCommand = CreateCommand;

export type ParsedUpload =
  | { readonly kind: 'command'; readonly command: UploadCommand }
  | Extract<UploadAuthorization, { kind: 'refused' }>;

export interface UploadOutcome {
  readonly type: 'stored';
  readonly file: FileInfo;
}

export interface UploadProtocol {
  readonly name: ProtocolName;
  recognizes(head: RequestHead): boolean;
  /** Makes every check that needs neither HMAC nor store. */
  parse(request: SlotUpload): ParsedUpload;
  respond(outcome: UploadOutcome): Answer;
  reject(problem: Problem): Answer;
}
