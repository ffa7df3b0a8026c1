/**
 * One GET or HEAD by way of a lane, from the opening of the file to the end of the answer: the lane answers with facts
 * and first bytes in one message, what is to be sent is decided here, and the rest is fetched as the client takes it.
 */

import { randomBytes } from 'node:crypto';
import type { BufferPool } from '../../shared/buffers.ts';
import type { EventPublisher } from '../../shared/events.ts';
import type { FileKey } from '../../shared/files.ts';
import type { StorageFailure } from '../../shared/storage-error.ts';
import type { AnswerHead, Exchange } from '../http/exchange.ts';
import { type Problem, storageProblems } from '../http/problem.ts';
import type { LaneClient, TransferListener, TransferMessage } from '../lanes/lane-client.ts';
import type { BodyCache } from './body-cache.ts';
import { type FoundDigests, withDigests } from './digest-wish.ts';
import { type PlanContext, planDownload, type Segment } from './download-plan.ts';
import { DownloadReport } from './download-report.ts';
import { DownloadStream } from './download-stream.ts';
import { type RepresentationRules, represent } from './representation.ts';
import { ONE_PIECE_BYTES } from './stream-bytes.ts';

type Opened = Extract<TransferMessage, { type: 'download.opened' }>;

/** Answers a request that cannot be served; `failure` is set when the store is to blame. */
export type Refuse = (problem: Problem, failure: StorageFailure | null) => void;

/** What one download needs. */
export interface LaneDownloadDependencies {
  readonly buffers: BufferPool;
  readonly events: EventPublisher;
  readonly rules: RepresentationRules;
  readonly lane: LaneClient;
  readonly exchange: Exchange;
  readonly key: FileKey;
  readonly refuse: Refuse;
  /** null: the answer has no digests. */
  readonly found: FoundDigests | null;
  /** Those that are being sent. */
  readonly streams: Set<DownloadStream>;
  readonly cache: BodyCache;
}

/** One GET or HEAD from the opening of the file to the end of the answer. */
export class LaneDownload implements TransferListener {
  private readonly context: LaneDownloadDependencies;
  private readonly report: DownloadReport;
  private readonly transfer: number;
  private offset = 0;
  private isOpen = false;
  private stream: DownloadStream | null = null;

  constructor(context: LaneDownloadDependencies) {
    this.context = context;
    this.report = new DownloadReport(context.exchange, context.events);
    this.transfer = context.lane.begin(this);
  }

  open(offset: number, buffer: ArrayBuffer | null): void {
    const { lane, key, exchange } = this.context;
    this.offset = offset;
    exchange.onGone((reason) => {
      this.end();
      this.report.aborted(reason);
    });
    lane.send({ type: 'download.open', transfer: this.transfer, key, offset, buffer }, buffer);
  }

  receive(message: TransferMessage): void {
    if (message.type === 'download.opened') this.opened(message);
    else if (message.type === 'download.failed' && this.stream === null) this.failedToOpen(message);
    else this.stream?.receive(message);
  }

  laneLost(failure: StorageFailure): void {
    this.isOpen = false;
    if (this.stream === null) this.refuse(storageProblems[failure.code], failure);
    else this.stream.laneLost(failure);
  }

  private failedToOpen(message: Extract<TransferMessage, { type: 'download.failed' }>): void {
    if (message.buffer !== null) this.context.buffers.give(message.buffer);
    const { failure } = message;
    this.refuse(storageProblems[failure.code], failure.code === 'not-found' ? null : failure);
  }

  private refuse(problem: Problem, failure: StorageFailure | null): void {
    this.end();
    this.report.refused(problem.status);
    this.context.refuse(problem, failure);
  }

  private opened(message: Opened): void {
    const { exchange, key, rules, found, cache } = this.context;
    this.isOpen = message.isOpen;
    this.report.fileId = message.fileId;
    const representation = represent(key, message.file, rules, message.expiresMs);
    if (this.offset === 0 && message.buffer !== null) cache.countRead(key, message.file.size, performance.now());
    const plan = withDigests(planDownload(exchange.head, representation, planContext(rules)), representation, found);
    if (plan.kind === 'problem') {
      this.giveBack(message.buffer);
      this.refuse(plan.problem, null);
      return;
    }
    exchange.onAnswered(() => {
      this.end();
      this.report.completed();
    });
    if (plan.kind === 'stream') this.send(message, plan.head, plan.segments);
    else {
      this.giveBack(message.buffer);
      exchange.respondHead(plan.head);
    }
  }

  private send(message: Opened, head: AnswerHead, segments: readonly Segment[]): void {
    const { exchange, buffers, lane, streams } = this.context;
    const { transfer } = this;
    const buffer = message.buffer ?? new ArrayBuffer(0);
    const first = { buffer, offset: this.offset, length: message.length };
    if (head.length <= ONE_PIECE_BYTES && segments.every((segment) => isCovered(segment, first))) {
      const bytes = new Uint8Array(buffer, 0, message.length);
      const pieces = segments.map((part) => bytesOf(part, bytes, this.offset));
      const [only = ''] = pieces;
      // The transport copies such a body at once, so the buffer is free again.
      exchange.respond({
        status: head.status,
        fields: head.fields,
        body: pieces.length > 1 ? Buffer.concat(pieces) : only,
      });
      this.giveBack(message.buffer);
      return;
    }
    const onFailure = (failure: StorageFailure): void => this.failedInBody(failure);
    const stream = new DownloadStream({ lane, transfer, buffers, exchange, segments, first, onFailure });
    this.stream = stream;
    streams.add(stream);
    exchange.beginStream(head, () => stream.pump());
    stream.pump();
  }

  /** Half of a body is out: the only honest answer is the end of the connection. */
  private failedInBody(failure: StorageFailure): void {
    this.isOpen = false;
    this.context.refuse(storageProblems[failure.code], failure);
    this.context.exchange.close('io');
  }

  private giveBack(buffer: ArrayBuffer | null): void {
    if (buffer !== null) this.context.buffers.give(buffer);
  }

  private end(): void {
    const { lane, streams } = this.context;
    if (this.stream !== null) {
      this.stream.finish();
      streams.delete(this.stream);
    }
    if (this.isOpen) lane.send({ type: 'download.close', transfer: this.transfer }, null);
    this.isOpen = false;
    lane.end(this.transfer);
  }
}

function isCovered(segment: Segment, { offset, length }: { offset: number; length: number }): boolean {
  if (segment.kind === 'text') return true;
  return segment.first >= offset && segment.first + segment.length <= offset + length;
}

/** What a plan depends on besides request and file. */
export function planContext({ hasRanges }: RepresentationRules): PlanContext {
  return { hasRanges, nowMs: Date.now(), newBoundary: () => randomBytes(15).toString('hex') };
}

/** The bytes of a segment, out of file bytes that begin at `offset`. */
export function bytesOf(segment: Segment, bytes: Uint8Array, offset: number): Uint8Array {
  if (segment.kind === 'text') return segment.bytes;
  return bytes.subarray(segment.first - offset, segment.first - offset + segment.length);
}
