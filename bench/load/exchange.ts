/** One request and the answer that it must get: what a connection sends, and what it accepts as right. */

import type { Payload } from '../payload.ts';
import type { ResponseHead } from './response-parser.ts';

/** Content that a response body must have. */
export interface ExpectedContent {
  /** Null: any length. */
  readonly lengthBytes: number | null;
  /** True when `chunk` is right at `offset`. */
  readonly matches: (offset: number, chunk: Buffer) => boolean;
  /** Called once all bytes matched; false: the whole was wrong (a digest). */
  readonly isWholeRight?: () => boolean;
}

export interface OutgoingRequest {
  /** Request line and fields, with the empty line; Content-Length included where there is a body. */
  readonly head: string;
  readonly isHeadOnly: boolean;
  /** Body: this many bytes of the payload with this phase, from `offset` on; null: none. */
  readonly body: { readonly phase: number; readonly offset: number; readonly lengthBytes: number } | null;
  /** Null: any status, judged by `checkHead`. */
  readonly expectedStatus: number | null;
  /** Body of the answer; null: any. */
  readonly expectedContent: ExpectedContent | null;
  /** A field check of the answer's head: the kind of error, or null when it is right. */
  readonly checkHead: ((head: ResponseHead) => string | null) | null;
}

/** What a connection says when an exchange is over: `failure` is the kind of error, null when all was right. */
export interface Outcome {
  readonly failure: string | null;
  readonly head: ResponseHead | null;
  readonly startedMs: number;
}

/** Content of the payload with this phase. */
export function payloadContent(payload: Payload, phase: number, from: number, lengthBytes: number): ExpectedContent {
  return { lengthBytes, matches: (offset, chunk) => payload.matches(phase, from + offset, chunk) };
}
