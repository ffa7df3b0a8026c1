/**
 * One client connection: a raw socket, prepared heads, big shared buffers, one exchange at a time, never pipelined. It says how each
 * exchange ended exactly once, and opens a new socket by itself when the next one needs it.
 */

import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { nowMs } from '../clock.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Payload } from '../payload.ts';
import { ContentCheck } from './content-check.ts';
import type { Outcome, OutgoingRequest } from './exchange.ts';
import { PacedSteps } from './paced-steps.ts';
import { type ParseResult, type ResponseHead, ResponseParser } from './response-parser.ts';

export interface ConnectionSettings {
  readonly endpoint: Endpoint;
  readonly payload: Payload;
  /** What the socket reads into; one buffer may serve all connections of a thread, since every read is used at once. */
  readonly readBuffer: Buffer;
  /** Null: as fast as possible. */
  readonly bytesPerSecond: number | null;
  readonly isChurning: boolean;
  /** An exchange in which nothing moves for this long has failed. */
  readonly timeoutMs: number;
  /** Told of body bytes that moved, either direction; answers how many of them count. Those of a failed exchange are taken back. */
  readonly countBytes: (count: number) => number;
}

export class ClientConnection {
  private readonly settings: ConnectionSettings;
  private readonly onOutcome: (outcome: Outcome, connection: ClientConnection) => void;
  private readonly parser: ResponseParser;
  private readonly pace: PacedSteps | null;
  private socket: Socket | null = null;
  private request: OutgoingRequest | null = null;
  private responseHead: ResponseHead | null = null;
  private content: ContentCheck | null = null;
  private startedMs = 0;
  private progressMs = 0;
  private bodySent = 0;
  private counted = 0;

  constructor(settings: ConnectionSettings, onOutcome: (outcome: Outcome, connection: ClientConnection) => void) {
    this.settings = settings;
    this.onOutcome = onOutcome;
    this.pace = settings.bytesPerSecond === null ? null : new PacedSteps(settings.bytesPerSecond);
    this.parser = new ResponseParser({
      onHead: (head) => {
        this.responseHead = head;
      },
      onBody: (bytes) => {
        this.count(bytes.length);
        this.content?.take(bytes);
      },
    });
  }

  /** Opens the socket ahead of the first exchange. */
  open(): void {
    this.socket ??= this.openSocket();
  }

  /** Sends a request. `startedMs` is when its latency begins, which may lie in the past (open loop). */
  send(request: OutgoingRequest, startedMs: number): void {
    this.request = request;
    this.responseHead = null;
    this.content = request.expectedContent === null ? null : new ContentCheck(request.expectedContent);
    this.startedMs = startedMs;
    this.progressMs = nowMs();
    this.bodySent = 0;
    this.counted = 0;
    this.parser.expect(request.isHeadOnly);
    this.socket ??= this.openSocket();
    const socket = this.socket;
    if (request.body === null) {
      socket.write(request.head, 'latin1');
      return;
    }
    socket.cork();
    socket.write(request.head, 'latin1');
    this.sendBody(socket);
    socket.uncork();
  }

  /** Fails the exchange under way when nothing has moved for too long. */
  checkTimeout(now: number): void {
    this.failIfSilent(now - this.settings.timeoutMs, 'timeout');
  }

  /** Fails the exchange under way when nothing has moved since then (monotonic). */
  failIfSilent(sinceMs: number, failure: string): void {
    if (this.request !== null && this.progressMs < sinceMs) this.fail(failure);
  }

  /** Ends the connection. An exchange under way is forgotten without an outcome; what it moved so far still counts. */
  close(): void {
    this.request = null;
    this.dropSocket();
  }

  private openSocket(): Socket {
    const { endpoint, readBuffer } = this.settings;
    const { host, port } = endpoint;
    const socket: Socket = endpoint.isTls
      ? connectTls({ host, port, servername: host, rejectUnauthorized: !endpoint.isUntrusted })
      : connectTcp({
          host,
          port,
          onread: { buffer: readBuffer, callback: (length, buffer) => this.receive(socket, buffer, length) },
        });
    socket.setNoDelay(true);
    if (endpoint.isTls) socket.on('data', (bytes: Buffer) => this.receive(socket, bytes, bytes.length));
    socket.on('drain', () => {
      if (socket === this.socket && this.request !== null) this.sendBody(socket);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.lost(socket, `${error.syscall ?? 'socket'} ${error.code ?? error.name}`);
    });
    socket.on('end', () => this.ended(socket));
    socket.on('close', () => this.lost(socket, 'closed early'));
    return socket;
  }

  private receive(socket: Socket, buffer: Uint8Array, length: number): boolean {
    if (socket !== this.socket) return true;
    const bytes = Buffer.from(buffer.buffer, buffer.byteOffset, length);
    if (this.request === null) {
      this.dropSocket();
      return true;
    }
    this.progressMs = nowMs();
    const result = this.parser.feed(bytes);
    if (result !== 'incomplete') this.settle(result);
    else if (this.pace !== null) this.pace.holdReading(socket, length);
    return true;
  }

  private sendBody(socket: Socket): void {
    const body = this.request?.body ?? null;
    if (body === null) return;
    this.progressMs = nowMs();
    while (this.bodySent < body.lengthBytes) {
      const wanted = body.lengthBytes - this.bodySent;
      const length = this.pace === null ? wanted : Math.min(wanted, this.pace.stepBytes);
      const piece = this.settings.payload.slice(body.phase, body.offset + this.bodySent, length);
      this.bodySent += piece.length;
      this.count(piece.length);
      const canTakeMore = socket.write(piece);
      if (this.pace !== null) {
        this.pace.later(() => {
          if (socket === this.socket && this.request?.body === body) this.sendBody(socket);
        });
        return;
      }
      if (!canTakeMore) return;
    }
  }

  private count(bytes: number): void {
    this.counted += this.settings.countBytes(bytes);
  }

  private settle(result: ParseResult): void {
    const request = this.request;
    if (request === null) return;
    if (result === 'malformed') {
      this.fail('malformed answer');
      return;
    }
    const isBodySent = request.body === null || this.bodySent === request.body.lengthBytes;
    const failure = this.judge(request, isBodySent);
    if (failure !== null) {
      if (isBodySent && result === 'complete' && !this.settings.isChurning) this.finish(failure);
      else this.fail(failure);
      return;
    }
    if (result === 'closing' || this.settings.isChurning) this.releaseSocket();
    this.finish(null);
  }

  /** The kind of error of a complete response; null when it is what was asked for. */
  private judge(request: OutgoingRequest, isBodySent: boolean): string | null {
    const head = this.responseHead;
    if (head === null) return 'malformed answer';
    if (request.expectedStatus !== null && head.status !== request.expectedStatus) return `status ${head.status}`;
    if (!isBodySent) return 'answer before the body was sent';
    return request.checkHead?.(head) ?? this.content?.verdict() ?? null;
  }

  /** FIN of the server: ends a response without a length, or the connection between two exchanges. */
  private ended(socket: Socket): void {
    if (socket !== this.socket) return;
    if (this.request === null) {
      this.dropSocket();
    } else if (this.responseHead !== null && this.parser.end()) {
      this.settle('closing');
    } else {
      this.fail('closed early');
    }
  }

  private lost(socket: Socket, reason: string): void {
    if (socket !== this.socket) return;
    if (this.request === null) this.dropSocket();
    else this.fail(reason);
  }

  private fail(failure: string): void {
    this.dropSocket();
    this.finish(failure);
  }

  private finish(failure: string | null): void {
    if (failure !== null) this.settings.countBytes(-this.counted);
    const outcome = { failure, head: this.responseHead, startedMs: this.startedMs };
    this.request = null;
    this.onOutcome(outcome, this);
  }

  /** Lets the socket end in its own time: both sides have said all. */
  private releaseSocket(): void {
    this.socket?.end();
    this.socket = null;
  }

  private dropSocket(): void {
    this.pace?.cancel();
    this.socket?.destroy();
    this.socket = null;
  }
}
