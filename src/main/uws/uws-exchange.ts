/**
 * One request on uWebSockets.js. Native values die early and native calls after the end throw, so every call goes
 * through here and through one state: open, streaming, answered or gone.
 */

import type { HttpResponse } from 'uWebSockets.js';
import type { Answer, AnswerHead, BodyReceiver, Exchange, GoneReason, RequestHead } from '../http/exchange.ts';
import type { ResponseFields } from '../http/field-line.ts';
import { statusLine } from '../http/status-line.ts';
import { type FieldBlock, fieldBlock } from './field-block.ts';
import { TransferClock } from './transfer-clock.ts';

/** A refused body of more than this is cut off instead of being read to its end. */
const MAX_IGNORED_BODY_BYTES = 64 * 1024 * 1024;

/** What the server does for its exchanges. */
export interface ExchangeHost {
  /** True when connections are to be closed after their answer. */
  readonly isDraining: boolean;
  /** The exchange is over: answered or gone. */
  ended(exchange: UwsExchange): void;
  /** An exception in a callback: a bug, which ends this exchange and nothing else. */
  failed(error: unknown): void;
}

export class UwsExchange implements Exchange {
  readonly head: RequestHead;
  readonly requestId: string;
  readonly startedMs: number;
  state: Exchange['state'] = 'open';
  status: number | null = null;
  bytesIn = 0;
  bytesOut = 0;
  isBodyComplete: boolean;
  private readonly res: HttpResponse;
  private readonly host: ExchangeHost;
  private readonly clock: TransferClock;
  private readonly goneListeners: ((reason: GoneReason) => void)[] = [];
  private readonly answeredListeners: (() => void)[] = [];
  private goneReason: GoneReason = 'client';
  private streamed: { readonly head: AnswerHead; readonly block: FieldBlock; isHeadWritten: boolean } | null = null;

  constructor(dependencies: { res: HttpResponse; head: RequestHead; requestId: string; host: ExchangeHost }) {
    this.res = dependencies.res;
    this.head = dependencies.head;
    this.requestId = dependencies.requestId;
    this.host = dependencies.host;
    this.startedMs = performance.now();
    this.clock = new TransferClock(this.startedMs);
    const { body } = this.head.framing;
    this.isBodyComplete = body.kind === 'none' || (body.kind === 'length' && body.length === 0);
    // First of all: a handler that returns without it ends the process.
    this.res.onAborted(() => this.end('gone'));
  }

  onGone(listener: (reason: GoneReason) => void): void {
    this.goneListeners.push(listener);
  }

  onAnswered(listener: () => void): void {
    this.answeredListeners.push(listener);
  }

  receiveBody(receiver: BodyReceiver): void {
    this.res.onData((chunk, isLast) => {
      this.bytesIn += chunk.byteLength;
      if (isLast) this.isBodyComplete = true;
      // Chunks come until the body is over, also after the answer.
      if (this.state !== 'open') return;
      this.guard(() => {
        receiver(new Uint8Array(chunk), isLast);
        this.keepReading();
      });
    });
  }

  pauseBody(): void {
    // With a complete body there is nothing to stop, and a paused socket would not tell that its client is gone.
    if (this.state !== 'open' || this.isBodyComplete) return;
    this.clock.pause(performance.now());
    this.res.pause();
  }

  resumeBody(): void {
    if (this.state !== 'open' || !this.clock.isPaused) return;
    this.clock.resume(performance.now(), this.bytesIn);
    this.rearm();
  }

  respond(answer: Answer): void {
    const bodyBytes = typeof answer.body === 'string' ? Buffer.byteLength(answer.body) : answer.body.length;
    const isBodyless = this.head.method === 'HEAD' || answer.status === 204 || answer.status === 304;
    const length = this.head.method === 'HEAD' && answer.status !== 304 ? bodyBytes : null;
    this.answer(answer.status, answer.fields, (cuts) => {
      if (!isBodyless) this.res.end(answer.body, cuts);
      else this.endWithoutBody(length);
      this.bytesOut += isBodyless ? 0 : bodyBytes;
    });
  }

  respondHead(head: AnswerHead): void {
    const hasLength = head.status !== 204 && head.status !== 304;
    this.answer(head.status, head.fields, () => this.endWithoutBody(hasLength ? head.length : null));
  }

  beginStream(head: AnswerHead, onDrain: () => void): void {
    if (this.state !== 'open') return;
    this.streamed = { head, block: fieldBlock(head.fields), isHeadWritten: false };
    this.state = 'streaming';
    this.status = head.status;
    this.res.onWritable(() => {
      this.guard(onDrain);
      // Nothing written is success, too; what could not be written is offered again later.
      return true;
    });
  }

  offer(bytes: Uint8Array): number {
    const streamed = this.streamed;
    if (this.state !== 'streaming' || streamed === null) return 0;
    const before = this.bytesOut;
    let isDone = false;
    let isTaken = false;
    this.res.cork(() => {
      if (!streamed.isHeadWritten) this.writeHead(streamed.head.status, streamed.block, this.mustClose());
      streamed.isHeadWritten = true;
      [isTaken, isDone] = this.res.tryEnd(bytes, streamed.head.length);
    });
    this.bytesOut = isTaken || isDone ? before + bytes.length : this.res.getWriteOffset();
    if (isDone) this.end('answered');
    return this.bytesOut - before;
  }

  close(reason: GoneReason): void {
    if (this.state === 'answered' || this.state === 'gone') return;
    this.goneReason = reason;
    this.res.close();
  }

  /** Called about once a second while the exchange lasts: keeps slow transfers alive and ends dead ones. */
  tick(nowMs: number): void {
    const verdict = this.clock.look(nowMs, this);
    if (verdict === 'rearm') this.rearm();
    else if (verdict === 'close') this.close('timeout');
  }

  private answer(status: number, fields: ResponseFields, finish: (cuts: boolean) => void): void {
    if (this.state !== 'open') return;
    const block = fieldBlock(fields);
    this.status = status;
    const { kind } = this.head.framing.body;
    if (kind === 'doubtful' || kind === 'chunked') this.answerLater(status, block, finish);
    else this.write(status, block, this.remainingBodyBytes() > MAX_IGNORED_BODY_BYTES, finish);
  }

  /**
   * The transport may take what follows such a body for a request, and would serve it if this one were answered in the
   * same turn. Answered in a later turn, and closed, it never gets there.
   */
  private answerLater(status: number, block: FieldBlock, finish: (cuts: boolean) => void): void {
    setImmediate(() => {
      if (this.state === 'open') this.guard(() => this.write(status, block, true, finish));
    });
  }

  private write(status: number, block: FieldBlock, cuts: boolean, finish: (cuts: boolean) => void): void {
    // A socket that is answered while paused stays deaf.
    this.resumeBody();
    this.res.cork(() => {
      this.writeHead(status, block, !cuts && this.mustClose());
      finish(cuts);
    });
    this.end('answered');
  }

  private writeHead(status: number, block: FieldBlock, closes: boolean): void {
    this.res.writeStatus(statusLine(status));
    if (block.name !== null) this.res.writeHeader(block.name, block.value);
    if (closes || block.closes) this.res.writeHeader('Connection', 'close');
  }

  /** The one form that is right on the wire and keeps the connection usable. */
  private endWithoutBody(length: number | null): void {
    if (length !== null) this.res.writeHeader('Content-Length', String(length));
    this.res.endWithoutBody();
  }

  private mustClose(): boolean {
    return this.host.isDraining || this.remainingBodyBytes() > 0 || this.head.framing.announcesTrailer;
  }

  private remainingBodyBytes(): number {
    const { body } = this.head.framing;
    if (this.isBodyComplete) return 0;
    return body.kind === 'length' ? body.length - this.bytesIn : Number.POSITIVE_INFINITY;
  }

  /** The library cuts uploads that are slower than its own timer likes; while bytes flow, ours decides. */
  private keepReading(): void {
    if (this.state === 'open' && !this.isBodyComplete && this.clock.wantsRearm()) this.rearm();
  }

  /** Both in one turn restart the library's timer; `resume` alone would make the socket deaf. */
  private rearm(): void {
    this.res.pause();
    this.res.resume();
  }

  /** An exception in a native callback would end the process or leave the client hanging: it ends this exchange. */
  private guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.host.failed(error);
      this.close('io');
    }
  }

  private end(state: 'answered' | 'gone'): void {
    if (this.state === 'answered' || this.state === 'gone') return;
    this.state = state;
    this.host.ended(this);
    if (state === 'answered') for (const listener of this.answeredListeners) listener();
    else for (const listener of this.goneListeners) listener(this.goneReason);
  }
}
