/**
 * The port between one HTTP request on the wire and the rest of the server. `uws/uws-exchange.ts` implements it; nothing
 * on this side knows uWebSockets.js. Every method may be called at any time: after the client is gone they do nothing.
 */

import type { FieldLine, ResponseFields } from './field-line.ts';
import type { RequestFraming } from './framing.ts';

/** The request head, copied out of native memory. */
export interface RequestHead {
  /** As sent, case-sensitive (RFC 9110 §9.1). */
  readonly method: string;
  /** The raw target before the first `?`; not decoded, not normalised. */
  readonly path: string;
  /** The raw text behind the first `?`; null without a `?`. */
  readonly query: string | null;
  readonly fields: readonly FieldLine[];
  /** How the body is delimited. */
  readonly framing: RequestFraming;
}

/** Who ended an exchange before its answer was complete, and why. */
export type GoneReason = 'client' | 'timeout' | 'shutdown' | 'io';

/** A complete answer with a body that fits in memory. */
export interface Answer {
  readonly status: number;
  readonly fields: ResponseFields;
  /** null: there is none, and the answer to a HEAD does not say how long the one to a GET would be. */
  readonly body: string | Uint8Array | null;
}

/** Head of an answer whose body is streamed, or left out (HEAD). */
export interface AnswerHead {
  readonly status: number;
  readonly fields: ResponseFields;
  /** Length of the body in bytes: sent as Content-Length. */
  readonly length: number;
}

/**
 * Takes the request body. `chunk` is native memory and dies when the call returns: copy what is kept.
 * Chunks may still arrive after `pause()`.
 */
export type BodyReceiver = (chunk: Uint8Array, isLast: boolean) => void;

export interface Exchange {
  readonly head: RequestHead;
  /** Text that names this request in logs and events, unique in this process. */
  readonly requestId: string;
  /** Monotonic time at which the head arrived, in milliseconds. */
  readonly startedMs: number;
  /** Body bytes that have arrived so far. */
  readonly bytesIn: number;
  /** Body bytes handed to the socket so far. */
  readonly bytesOut: number;
  /** Status of the answer; null before there is one. */
  readonly status: number | null;
  /** `open`: unanswered; `streaming`: head sent, body incomplete; `answered`; `gone`: the client left, or we closed. */
  readonly state: 'open' | 'streaming' | 'answered' | 'gone';

  /** Whether more body bytes may still come from the client. */
  readonly isBodyComplete: boolean;

  /** Called when the connection ends before the answer was complete; each listener once. */
  onGone(listener: (reason: GoneReason) => void): void;
  /** Called when the last byte of the answer was handed to the transport. */
  onAnswered(listener: () => void): void;
  /** Asks for the body. Only inside the turn in which the request arrived; at most once. */
  receiveBody(receiver: BodyReceiver): void;
  /** Stops reading from the client, as soon as the transport can. */
  pauseBody(): void;
  resumeBody(): void;

  /** Answers with a whole body; for HEAD the body is measured, not sent. Adds nothing but Content-Length, and to 204 not that. */
  respond(answer: Answer): void;
  /** Answers with a head alone: HEAD (Content-Length = length), 204 and 304 (no length). */
  respondHead(head: AnswerHead): void;
  /** Begins a streamed answer. `onDrain` is called whenever the client can take more after `offer` took too little. */
  beginStream(head: AnswerHead, onDrain: () => void): void;
  /** Offers the next bytes of a streamed answer and returns how many of them were taken. */
  offer(bytes: Uint8Array): number;
  /** Begins an answer without an end of its own: parts are pushed until the connection ends. Not for HEAD. */
  beginFeed(status: number, fields: ResponseFields): void;
  /** Sends the next part of a feed. False: nothing was sent, because the client is behind or gone. */
  push(part: string): boolean;
  /**
   * Address of the client, also behind trusted proxies, as text: IPv4 or compressed IPv6; empty on a unix socket. It costs a system call, and an answered
   * exchange knows it only if it was looked up before, or outlived the turn in which it began.
   */
  lookUpRemote(): string;
  /** True when the connection comes from a trusted proxy. */
  readonly isThroughProxy: boolean;
  /** True when it names no client behind it, so that its own address is all that is known. */
  readonly isFromProxyItself: boolean;
  /** Ends the connection at once; listeners of `onGone` run with the reason. */
  close(reason: GoneReason): void;
}
