/**
 * One request on uWebSockets.js. Native values die early and native calls after the end throw, so every call goes
 * through here and through one state: open, streaming, answered or gone.
 */

import type { HttpResponse } from 'uWebSockets.js';
import type { Peer } from '../http/client-address.ts';
import type { Answer, AnswerHead, BodyReceiver, Exchange, GoneReason, RequestHead } from '../http/exchange.ts';
import type { ResponseFields } from '../http/field-line.ts';
import { type FieldBlock, fieldBlock } from './field-block.ts';
import { LingeringClose } from './lingering-close.ts';
import { type Closing, type Reply, writeHead, writeReply } from './reply.ts';
import type { StalledReaders } from './stalled-readers.ts';
import { TransferClock } from './transfer-clock.ts';

/** So much of a body that is not wanted is waited for, and so long. */
const MAX_AWAITED_BODY_BYTES = 256 * 1024;
const MAX_BODY_WAIT_MS = 1_000;

/** What the server does for its exchanges. */
export interface ExchangeHost {
  /** True when connections are to be closed after their answer. */
  readonly isDraining: boolean;
  readonly readers: StalledReaders;
  /** The other end of the connection; the response must not be over. */
  peerOf(res: HttpResponse): Peer;
  isProxy(peer: Peer): boolean;
  /** Whose request it is. */
  clientOf(peer: Peer, head: RequestHead): string;
  /** Counts the exchange in; returns what `ended` knows it by. */
  began(exchange: UwsExchange): number;
  /** The head of a streamed answer is decided. */
  streamBegan(): void;
  /** The exchange is over: answered or gone. Called once. */
  ended(exchange: UwsExchange, ticket: number, hasStreamed: boolean): void;
  /** Body bytes that have come and gone since the last call: about once a second, and at the end. */
  moved(receivedBytes: number, sentBytes: number): void;
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
  isHeldBack = false;
  private readonly res: HttpResponse;
  private readonly host: ExchangeHost;
  private readonly ticket: number;
  private readonly clock: TransferClock;
  /** Never grown, but made anew: thousands wait for slow clients, and an array that grows has room for 17. */
  private goneListeners: readonly ((reason: GoneReason) => void)[] = [];
  private answeredListeners: readonly (() => void)[] = [];
  private goneReason: GoneReason = 'client';
  /** The native response is no more. */
  private isAborted = false;
  /** Answered, and still being read. */
  private lingering: LingeringClose | null = null;
  private reply: Reply | null = null;
  private replyMs = 0;
  private hasReceiver = false;
  private isAwaitingBody = false;
  private isInTurn = true;
  private peer: Peer | null = null;
  private client: string | null = null;
  /** What `moved` has been told. */
  private movedIn = 0;
  private movedOut = 0;
  /** `block` is null once it is written. */
  private streamed: { readonly status: number; readonly length: number; block: FieldBlock | null } | null = null;

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
    this.res.onAborted(() => {
      this.isAborted = true;
      this.lingering?.stop();
      this.end('gone');
    });
    this.ticket = this.host.began(this);
  }

  lookUpRemote(): string {
    this.lookUpPeer();
    if (this.client === null && this.peer !== null) this.client = this.host.clientOf(this.peer, this.head);
    return this.client ?? '';
  }

  get isThroughProxy(): boolean {
    this.lookUpPeer();
    return this.peer !== null && this.host.isProxy(this.peer);
  }

  get isFromProxyItself(): boolean {
    return this.isThroughProxy && this.lookUpRemote() === this.peer?.address;
  }

  onGone(listener: (reason: GoneReason) => void): void {
    this.goneListeners = [...this.goneListeners, listener];
  }

  onAnswered(listener: () => void): void {
    this.answeredListeners = [...this.answeredListeners, listener];
  }

  receiveBody(receiver: BodyReceiver): void {
    this.hasReceiver = true;
    this.res.onData((chunk, isLast) => {
      this.bytesIn += chunk.byteLength;
      if (isLast) this.isBodyComplete = true;
      // Chunks come until the body is over, also after the answer.
      this.lingering?.received(chunk.byteLength, isLast);
      if (this.state !== 'open') return;
      this.guard(() => {
        if (this.reply === null) receiver(new Uint8Array(chunk), isLast);
        else if (isLast && this.isAwaitingBody) this.finishReply(this.reply);
        this.keepReading();
      });
    });
  }

  /** The handler has returned; a body that nobody wants is read all the same, so that its end is known. */
  turnEnded(): void {
    if (this.state === 'open' && !this.isBodyComplete) this.wantBody();
    this.isInTurn = false;
    // The client may leave before anybody asks.
    this.lookUpPeer();
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
    const { status, fields, body } = answer;
    if (status === 204 || status === 304) this.answer(status, fields, null, null);
    else if (this.head.method !== 'HEAD') this.answer(status, fields, body ?? '', null);
    else this.answer(status, fields, null, body === null ? null : Buffer.byteLength(body));
  }

  respondHead({ status, fields, length }: AnswerHead): void {
    this.answer(status, fields, null, status === 204 || status === 304 ? null : length);
  }

  beginStream(head: AnswerHead, onDrain: () => void): void {
    if (this.state !== 'open' || this.reply !== null) return;
    this.streamed = { status: head.status, length: head.length, block: fieldBlock(head.fields) };
    this.host.streamBegan();
    this.beginBody(head.status, onDrain);
  }

  offer(bytes: Uint8Array): number {
    const streamed = this.streamed;
    if (this.state !== 'streaming' || streamed === null) return 0;
    const before = this.bytesOut;
    let isDone = false;
    let isTaken = false;
    this.res.cork(() => {
      const { status, length, block } = streamed;
      if (block !== null) writeHead(this.res, status, block, this.mustClose(block));
      streamed.block = null;
      [isTaken, isDone] = this.res.tryEnd(bytes, length);
    });
    this.bytesOut = isTaken || isDone ? before + bytes.length : this.res.getWriteOffset();
    this.isHeldBack = this.bytesOut - before < bytes.length;
    if (isDone) this.end('answered');
    return this.bytesOut - before;
  }

  beginFeed(status: number, fields: ResponseFields): void {
    if (this.state !== 'open' || this.reply !== null) return;
    this.beginBody(status, () => {});
    this.res.cork(() => writeHead(this.res, status, fieldBlock(fields), false));
  }

  push(part: string): boolean {
    if (this.state !== 'streaming' || this.isHeldBack) return false;
    this.res.cork(() => {
      // What the socket does not take is kept by the library, and nothing is added to it.
      this.isHeldBack = !this.res.write(part);
    });
    this.bytesOut += Buffer.byteLength(part);
    return true;
  }

  close(reason: GoneReason): void {
    if (this.isOver) return;
    this.goneReason = reason;
    this.res.close();
  }

  /** Called about once a second while the exchange lasts: keeps slow transfers alive and ends dead ones. */
  tick(nowMs: number): void {
    if (this.isOver) return;
    this.tellMoved();
    if (this.reply !== null && nowMs - this.replyMs > MAX_BODY_WAIT_MS) {
      this.write(this.reply, 'linger');
      return;
    }
    const verdict = this.clock.look(nowMs, this, (stillMs) => this.host.readers.patienceWith(this, stillMs));
    if (verdict === 'rearm') this.rearm();
    else if (verdict === 'close') this.close('timeout');
  }

  private beginBody(status: number, onDrain: () => void): void {
    this.state = 'streaming';
    this.status = status;
    this.res.onWritable(() => {
      this.isHeldBack = false;
      this.guard(onDrain);
      // Nothing written is success, too; what could not be written is offered again later.
      return true;
    });
  }

  private lookUpPeer(): void {
    if (this.peer === null && !this.isOver) this.peer = this.host.peerOf(this.res);
  }

  private get isOver(): boolean {
    return this.state === 'answered' || this.state === 'gone';
  }

  private answer(status: number, fields: ResponseFields, body: Reply['body'], length: number | null): void {
    if (this.state !== 'open' || this.reply !== null) return;
    const reply = { status, block: fieldBlock(fields), body, length };
    this.reply = reply;
    this.status = status;
    this.replyMs = performance.now();
    const { kind } = this.head.framing.body;
    if (kind === 'doubtful' || kind === 'chunked') this.cutLater(reply);
    else if (this.canAwaitBody()) {
      this.isAwaitingBody = true;
      this.wantBody();
    } else this.finishReply(reply);
  }

  /** Its end must be known, and nobody else asks for it. */
  private wantBody(): void {
    if (!this.hasReceiver) this.receiveBody(() => {});
  }

  /** A small rest of the body is read first: then the connection can be used again, and nothing overtakes the answer. */
  private canAwaitBody(): boolean {
    const remaining = this.remainingBodyBytes();
    return remaining > 0 && remaining <= MAX_AWAITED_BODY_BYTES && (this.hasReceiver || this.isInTurn);
  }

  private finishReply(reply: Reply): void {
    if (this.remainingBodyBytes() > 0) this.write(reply, 'linger');
    else if (!this.mustClose(reply.block)) this.write(reply, 'keep');
    else this.cutLater(reply);
  }

  /** In a later turn: answered and closed in this one, the transport may serve what follows in the same packet. */
  private cutLater(reply: Reply): void {
    setImmediate(() => {
      if (this.state === 'open') this.guard(() => this.write(reply, 'cut'));
    });
  }

  private write(reply: Reply, closing: Closing): void {
    // A socket that is answered while paused stays deaf.
    this.resumeBody();
    if (closing === 'linger') this.wantBody();
    if (writeReply(this.res, reply, closing)) this.endConnection(closing);
    const { body } = reply;
    if (body !== null) this.bytesOut += typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    this.end('answered');
  }

  private endConnection(closing: Closing): void {
    if (closing === 'linger') {
      this.lingering = new LingeringClose(this.res);
      return;
    }
    // The head is on its way to the socket; the client may be faster than we are.
    setImmediate(() => {
      if (!this.isAborted) this.res.close();
    });
  }

  /** Whether the connection must not be used again after an answer with these fields. */
  private mustClose(block: FieldBlock): boolean {
    return block.closes || this.host.isDraining || this.remainingBodyBytes() > 0 || this.head.framing.announcesTrailer;
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

  private tellMoved(): void {
    this.host.moved(this.bytesIn - this.movedIn, this.bytesOut - this.movedOut);
    this.movedIn = this.bytesIn;
    this.movedOut = this.bytesOut;
  }

  private end(state: 'answered' | 'gone'): void {
    if (this.isOver) return;
    this.state = state;
    this.tellMoved();
    this.host.ended(this, this.ticket, this.streamed !== null);
    if (state === 'answered') for (const listener of this.answeredListeners) listener();
    else for (const listener of this.goneListeners) listener(this.goneReason);
  }
}
