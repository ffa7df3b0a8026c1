/**
 * What is known of one request while it lasts, and the events about it: one received, then exactly one completed or
 * failed, whatever happens.
 */

import type { EventPublisher, RequestRef, Route, SignatureResult } from '../shared/events.ts';
import type { SignatureHint, SignatureScheme } from '../shared/signature.ts';
import { publishedPath } from './auth/request-target.ts';
import type { Answer, Exchange, GoneReason } from './http/exchange.ts';
import type { Problem } from './http/problem.ts';
import { plainTextAnswer } from './http/problem-answer.ts';
import { resourceFields } from './upload/resource-url.ts';

/** Why a request failed, for the event; never for the client. */
export interface Cause {
  readonly code: string;
  readonly message: string;
  readonly stack?: string;
}

/** What was wrong with a signature. */
export interface RefusedSignature {
  readonly scheme: SignatureScheme;
  readonly result: SignatureResult;
  readonly triedTypes?: readonly string[];
  readonly hint?: SignatureHint | null;
}

export class RequestLife {
  readonly exchange: Exchange;
  private readonly route: Route;
  private readonly events: EventPublisher;
  /** As events may carry it. */
  private readonly path: string;
  private cause: Cause | null = null;

  constructor(exchange: Exchange, route: Route, events: EventPublisher) {
    this.exchange = exchange;
    this.route = route;
    this.events = events;
    this.path = publishedPath(exchange.head.path);
    if (events.wants('request.received')) {
      events.publish({ type: 'request.received', lengthBytes: this.declaredBytes(), ...this.ref() });
    }
    // Told after the answer, when the address can no longer be looked up.
    if (events.wants('request.completed')) exchange.lookUpRemote();
    exchange.onAnswered(() => this.answered());
    exchange.onGone((reason) => this.gone(reason));
  }

  /** Renders a problem as plain text. */
  refuse(problem: Problem, cause: Cause | null = null): void {
    this.answer(plainTextAnswer(problem), cause);
  }

  answer(answer: Answer, cause: Cause | null): void {
    this.cause = cause;
    // So is a failure.
    if (answer.status >= 500) this.exchange.lookUpRemote();
    this.exchange.respond(this.route === '/{upload}' ? unshared(answer) : answer);
  }

  /** Says what was wrong with the signature: enough to find the mistake, never the MAC. */
  signatureRefused(refused: RefusedSignature): void {
    const { requestId } = this.exchange;
    const { scheme, result, triedTypes = [], hint = null } = refused;
    this.events.publish({ type: 'signature.checked', requestId, scheme, result, secret: null });
    const sizeBytes = this.declaredBytes();
    this.events.publish({ type: 'signature.refused', scheme, result, sizeBytes, triedTypes, hint, ...this.ref() });
  }

  extensionRefused(extension: string): void {
    this.events.publish({ type: 'upload.refused', extension, ...this.ref() });
  }

  private declaredBytes(): number | null {
    const { body } = this.exchange.head.framing;
    return body.kind === 'length' ? body.length : null;
  }

  private answered(): void {
    const { status } = this.exchange;
    if (status !== null && status < 500) {
      if (this.events.wants('request.completed')) {
        this.events.publish({ type: 'request.completed', status, ...this.figures(), ...this.ref() });
      }
      return;
    }
    this.publishFailed(this.cause ?? { code: 'internal', message: 'answered with a server error' });
  }

  private gone(reason: GoneReason): void {
    this.publishFailed(this.cause ?? { code: reason, message: 'connection ended before the answer was complete' });
  }

  private publishFailed(cause: Cause): void {
    const { status } = this.exchange;
    this.events.publish({ type: 'request.failed', status, ...cause, ...this.figures(), ...this.ref() });
  }

  private figures(): { bytesIn: number; bytesOut: number; durationMs: number } {
    const { bytesIn, bytesOut, startedMs } = this.exchange;
    return { bytesIn, bytesOut, durationMs: performance.now() - startedMs };
  }

  private ref(): RequestRef {
    const { requestId, head } = this.exchange;
    const remote = this.exchange.lookUpRemote();
    return { requestId, method: head.method, route: this.route, path: this.path, remote };
  }
}

/** The URL of an upload is the permission to write to it: nobody stores an answer about it, and no browser passes it on. */
function unshared(answer: Answer): Answer {
  const missing = resourceFields.filter(([wanted]) => !answer.fields.some(([name]) => name === wanted));
  return { ...answer, fields: [...answer.fields, ...missing] };
}
