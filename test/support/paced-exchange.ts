/** One request without a network: a client that takes as much of its answer as a test allows, and leaves when it is told to. */

import type { AnswerHead, Exchange, GoneReason, RequestHead } from '../../src/main/http/exchange.ts';
import type { ResponseFields } from '../../src/main/http/field-line.ts';
import { readFraming } from '../../src/main/http/framing.ts';

export interface PacedRequest {
  readonly method?: string;
  /** Names in lower case. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Bytes of the body that are taken at once; the others when `take` allows them. */
  readonly takes?: number;
}

export class PacedExchange implements Exchange {
  readonly head: RequestHead;
  readonly requestId = 'paced';
  readonly startedMs = performance.now();
  readonly bytesIn = 0;
  readonly isBodyComplete = true;
  readonly isThroughProxy = false;
  readonly isFromProxyItself = false;
  bytesOut = 0;
  status: number | null = null;
  state: Exchange['state'] = 'open';
  fields: ResponseFields = [];
  /** Resolves when the answer is complete, or the client gone. */
  readonly ended: Promise<void>;
  private readonly pieces: Buffer[] = [];
  private readonly goneListeners: ((reason: GoneReason) => void)[] = [];
  private readonly answeredListeners: (() => void)[] = [];
  private settle: () => void = () => {};
  private allowance: number;
  private length = 0;
  private onDrain: () => void = () => {};

  constructor({ method = 'GET', fields = {}, takes = Number.POSITIVE_INFINITY }: PacedRequest = {}) {
    const lines = Object.entries(fields).map(([name, value]) => ({ name, value }));
    this.head = { method, path: '/', query: null, fields: lines, framing: readFraming(lines) };
    this.allowance = takes;
    this.ended = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  /** What has arrived of the body. */
  get body(): Buffer {
    return Buffer.concat(this.pieces);
  }

  /** Takes so many more bytes of the body. */
  take(bytes: number): void {
    this.allowance += bytes;
    this.onDrain();
  }

  onGone(listener: (reason: GoneReason) => void): void {
    this.goneListeners.push(listener);
  }

  onAnswered(listener: () => void): void {
    this.answeredListeners.push(listener);
  }

  respond({
    status,
    fields,
    body,
  }: {
    status: number;
    fields: ResponseFields;
    body: string | Uint8Array | null;
  }): void {
    this.begin({ status, fields });
    if (body !== null && this.head.method !== 'HEAD') this.arrived(Buffer.from(body));
    this.end('answered');
  }

  respondHead({ status, fields }: AnswerHead): void {
    this.begin({ status, fields });
    this.end('answered');
  }

  beginStream({ status, fields, length }: AnswerHead, onDrain: () => void): void {
    this.begin({ status, fields });
    this.state = 'streaming';
    this.length = length;
    this.onDrain = onDrain;
  }

  offer(bytes: Uint8Array): number {
    if (this.state !== 'streaming') return 0;
    const taken = Math.min(bytes.length, this.allowance);
    this.allowance -= taken;
    // Of its own: what was not taken may be gone when it is offered again.
    this.arrived(Buffer.from(bytes.subarray(0, taken)));
    if (this.bytesOut === this.length) this.end('answered');
    return taken;
  }

  close(reason: GoneReason): void {
    if (this.state === 'answered' || this.state === 'gone') return;
    this.end('gone');
    for (const listener of this.goneListeners) listener(reason);
  }

  receiveBody(): void {}

  pauseBody(): void {}

  resumeBody(): void {}

  beginFeed(): void {}

  push(): boolean {
    return false;
  }

  lookUpRemote(): string {
    return '';
  }

  private begin({ status, fields }: Omit<AnswerHead, 'length'>): void {
    this.status = status;
    this.fields = fields;
  }

  private arrived(bytes: Buffer): void {
    this.pieces.push(bytes);
    this.bytesOut += bytes.length;
  }

  private end(state: 'answered' | 'gone'): void {
    this.state = state;
    if (state === 'answered') for (const listener of this.answeredListeners) listener();
    this.settle();
  }
}
