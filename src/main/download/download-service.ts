/**
 * GET and HEAD of stored files. A lane opens the file and answers with its facts and first bytes in one message; what is
 * to be sent is decided here, and the rest of the bytes is fetched as the client takes them.
 */

import { randomBytes } from 'node:crypto';
import type { BufferPool } from '../../shared/buffers.ts';
import type { EventPublisher } from '../../shared/events.ts';
import type { FileKey } from '../../shared/files.ts';
import type { StorageFailure } from '../../shared/storage-error.ts';
import type { Exchange, GoneReason } from '../http/exchange.ts';
import { firstValue } from '../http/fields.ts';
import { type Problem, storageProblems } from '../http/problem.ts';
import { firstRangeOffset } from '../http/range.ts';
import type { LaneClient, TransferListener, TransferMessage } from '../lane-client.ts';
import type { StoreHealth } from '../store-health.ts';
import type { WorkerPool } from '../worker-pool.ts';
import { planDownload, type Segment } from './download-plan.ts';
import { DownloadStream } from './download-stream.ts';
import { type RepresentationRules, represent } from './representation.ts';

type Opened = Extract<TransferMessage, { type: 'download.opened' }>;

/** Bodies up to this length go out in one piece with their head. */
const ONE_PIECE_BYTES = 16 * 1024;

export interface DownloadServiceOptions {
  readonly pool: WorkerPool;
  readonly buffers: BufferPool;
  readonly events: EventPublisher;
  readonly health: StoreHealth;
  readonly rules: RepresentationRules;
}

/** Answers a request that cannot be served; `failure` is set when the store is to blame. */
export type Refuse = (problem: Problem, failure: StorageFailure | null) => void;

export class DownloadService {
  private readonly options: DownloadServiceOptions;
  private readonly streams = new Set<DownloadStream>();

  constructor(options: DownloadServiceOptions) {
    this.options = options;
  }

  /** Serves the file in answer to a GET or HEAD. */
  serve(exchange: Exchange, key: FileKey, refuse: Refuse): void {
    if (exchange.head.method === 'HEAD') this.open(exchange, key, refuse, null);
    else this.options.buffers.whenAvailable((buffer) => this.open(exchange, key, refuse, buffer));
  }

  /** Called about once a second: takes buffers from clients that do not read. */
  tick(nowMs: number): void {
    for (const stream of this.streams) stream.relax(nowMs);
  }

  private open(exchange: Exchange, key: FileKey, refuse: Refuse, buffer: ArrayBuffer | null): void {
    if (exchange.state !== 'open') {
      if (buffer !== null) this.options.buffers.give(buffer);
      return;
    }
    const lane = this.options.pool.downloadLane();
    const offset = this.options.rules.hasRanges ? firstRangeOffset(firstValue(exchange.head.fields, 'range')) : 0;
    const download = new Download({ ...this.options, lane, exchange, key, refuse, streams: this.streams });
    download.open(offset, buffer);
  }
}

interface DownloadDependencies extends DownloadServiceOptions {
  readonly lane: LaneClient;
  readonly exchange: Exchange;
  readonly key: FileKey;
  readonly refuse: Refuse;
  /** Those that are being sent. */
  readonly streams: Set<DownloadStream>;
}

/** One GET or HEAD from the opening of the file to the end of the answer. */
class Download implements TransferListener {
  private readonly context: DownloadDependencies;
  private readonly transfer: number;
  private offset = 0;
  private fileId = '';
  private isOpen = false;
  private stream: DownloadStream | null = null;

  constructor(context: DownloadDependencies) {
    this.context = context;
    this.transfer = context.lane.begin(this);
  }

  open(offset: number, buffer: ArrayBuffer | null): void {
    const { lane, key, exchange } = this.context;
    this.offset = offset;
    exchange.onGone((reason) => this.gone(reason));
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
    if (failure !== null) this.context.health.report(failure);
    const { requestId } = this.context.exchange;
    this.context.events.publish({ type: 'download.refused', requestId, status: problem.status });
    this.context.refuse(problem, failure);
  }

  private opened(message: Opened): void {
    const { exchange, key, rules, buffers } = this.context;
    this.isOpen = message.isOpen;
    this.fileId = message.fileId;
    const representation = represent(key, message.file, rules);
    const newBoundary = (): string => randomBytes(15).toString('hex');
    const plan = planDownload(exchange.head, representation, {
      hasRanges: rules.hasRanges,
      nowMs: Date.now(),
      newBoundary,
    });
    if (plan.kind === 'stream') {
      exchange.onAnswered(() => this.completed());
      this.send(message, plan.head, plan.segments);
      return;
    }
    if (message.buffer !== null) buffers.give(message.buffer);
    if (plan.kind === 'problem') {
      this.refuse(plan.problem, null);
      return;
    }
    exchange.onAnswered(() => this.completed());
    exchange.respondHead(plan.head);
  }

  private send(message: Opened, head: Parameters<Exchange['beginStream']>[0], segments: readonly Segment[]): void {
    const { exchange, buffers } = this.context;
    const body = oneSegment(segments, message, this.offset);
    if (body !== null && head.length <= ONE_PIECE_BYTES) {
      exchange.respond({ ...head, body });
      if (message.buffer !== null) buffers.give(message.buffer);
      return;
    }
    const first = { buffer: message.buffer ?? new ArrayBuffer(0), offset: this.offset, length: message.length };
    const { lane, transfer } = { lane: this.context.lane, transfer: this.transfer };
    const onFailure = (failure: StorageFailure): void => this.failedInBody(failure);
    this.stream = new DownloadStream({ lane, transfer, buffers, exchange, segments, first, onFailure });
    this.context.streams.add(this.stream);
    const { stream } = this;
    exchange.beginStream(head, () => stream.pump());
    stream.pump();
  }

  /** Half of a body is out: the only honest answer is the end of the connection. */
  private failedInBody(failure: StorageFailure): void {
    this.isOpen = false;
    this.context.health.report(failure);
    this.context.exchange.close('io');
  }

  private completed(): void {
    const { exchange, events } = this.context;
    this.end();
    const durationMs = performance.now() - exchange.startedMs;
    const { requestId, bytesOut } = exchange;
    events.publish({ type: 'download.completed', requestId, fileId: this.fileId, bytesOut, durationMs });
  }

  private gone(reason: GoneReason): void {
    const { exchange, events } = this.context;
    this.end();
    const durationMs = performance.now() - exchange.startedMs;
    const { requestId, bytesOut } = exchange;
    events.publish({ type: 'download.aborted', requestId, fileId: this.fileId, bytesOut, durationMs, reason });
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

/** The whole body, when it is one run of bytes that came with the opened file; null otherwise. */
function oneSegment(segments: readonly Segment[], message: Opened, offset: number): Uint8Array | null {
  const [segment, ...others] = segments;
  if (segment === undefined) return new Uint8Array(0);
  if (others.length > 0 || segment.kind !== 'file' || message.buffer === null) return null;
  const start = segment.first - offset;
  if (start < 0 || start + segment.length > message.length) return null;
  return new Uint8Array(message.buffer, start, segment.length);
}
