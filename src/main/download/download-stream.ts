/**
 * The body of one download: file bytes come from a lane buffer by buffer, and go to the client as fast as it takes them.
 * At most one buffer is being sent and one being read; a client that does not read holds none for long.
 */

import type { BufferPool } from '../../shared/buffers.ts';
import type { StorageFailure } from '../../shared/storage-error.ts';
import type { Exchange } from '../http/exchange.ts';
import type { LaneClient, TransferListener, TransferMessage } from '../lanes/lane-client.ts';
import type { Segment } from './download-plan.ts';

/** After this long without the client taking anything its buffers are given back; sooner when others wait for some. */
const IDLE_BUFFER_MS = 1_000;
export const WANTED_BUFFER_MS = 10;

/** Bytes of the file in memory. */
interface Filled {
  readonly buffer: ArrayBuffer;
  /** Position in the file of the first byte. */
  readonly offset: number;
  readonly length: number;
}

export interface DownloadStreamDependencies {
  readonly lane: LaneClient;
  readonly transfer: number;
  readonly buffers: BufferPool;
  readonly exchange: Exchange;
  readonly segments: readonly Segment[];
  /** What came with the opened file; its bytes may be the wrong ones. */
  readonly first: Filled;
  /** Reading failed in the middle of the body; the connection must end. */
  readonly onFailure: (failure: StorageFailure) => void;
}

export class DownloadStream implements TransferListener {
  private readonly lane: LaneClient;
  private readonly transfer: number;
  private readonly buffers: BufferPool;
  private readonly exchange: Exchange;
  private readonly segments: readonly Segment[];
  private readonly onFailure: (failure: StorageFailure) => void;
  private segmentIndex = 0;
  /** Bytes of the current segment that the client has taken. */
  private segmentOffset = 0;
  private current: Filled | null;
  private ahead: Filled | null = null;
  /** Position of the bytes that were asked for and have not come; null: nothing is being read. */
  private readingAt: number | null = null;
  private blockedSince: number | null = null;
  private isOver = false;

  constructor(dependencies: DownloadStreamDependencies) {
    this.lane = dependencies.lane;
    this.transfer = dependencies.transfer;
    this.buffers = dependencies.buffers;
    this.exchange = dependencies.exchange;
    this.segments = dependencies.segments;
    this.onFailure = dependencies.onFailure;
    this.current = dependencies.first;
  }

  /** Sends what can be sent, and asks for what is missing. Called at the start and whenever the client can take more. */
  pump(): void {
    this.blockedSince = null;
    while (!this.isOver && this.blockedSince === null) {
      const segment = this.segments[this.segmentIndex];
      if (segment === undefined) return;
      const bytes = segment.kind === 'text' ? segment.bytes.subarray(this.segmentOffset) : this.bytesAt(segment);
      if (bytes === null) return;
      this.offer(bytes, segment);
    }
  }

  receive(message: TransferMessage): void {
    if (message.type === 'download.bytes') this.take(message);
    else if (message.type === 'download.failed') {
      if (message.buffer !== null) this.buffers.give(message.buffer);
      this.onFailure(message.failure);
    } else throw new Error(`unexpected ${message.type} for a download`);
  }

  laneLost(failure: StorageFailure): void {
    this.readingAt = null;
    this.onFailure(failure);
  }

  /** Gives the buffers of a client that takes nothing to those that wait; they are read again when it does. */
  relax(nowMs: number): void {
    if (this.blockedSince === null) return;
    const patienceMs = this.buffers.isShort ? WANTED_BUFFER_MS : IDLE_BUFFER_MS;
    if (nowMs - this.blockedSince >= patienceMs) this.releaseBuffers();
  }

  /** The exchange is over, one way or the other. */
  finish(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.releaseBuffers();
  }

  private offer(bytes: Uint8Array, segment: Segment): void {
    const taken = this.exchange.offer(bytes);
    this.segmentOffset += taken;
    const length = segment.kind === 'text' ? segment.bytes.length : segment.length;
    if (this.segmentOffset === length) {
      this.segmentIndex += 1;
      this.segmentOffset = 0;
    }
    if (taken < bytes.length) this.blockedSince = performance.now();
  }

  /** The next bytes of the segment that are in memory; null when they had to be asked for. */
  private bytesAt(segment: Extract<Segment, { kind: 'file' }>): Uint8Array | null {
    const position = segment.first + this.segmentOffset;
    if (!covers(this.current, position)) this.advance();
    // What was let go of while the client did not read leaves bytes behind that are not next.
    if (!covers(this.current, position)) this.advance();
    const { current } = this;
    const missing = segment.length - this.segmentOffset;
    if (!covers(current, position)) {
      this.read(position, missing);
      return null;
    }
    const start = position - current.offset;
    const length = Math.min(current.length - start, missing);
    if (length < missing) this.read(position + length, missing - length);
    return new Uint8Array(current.buffer, start, length);
  }

  private advance(): void {
    if (this.current !== null) this.buffers.give(this.current.buffer);
    this.current = this.ahead;
    this.ahead = null;
  }

  /** Asks for bytes, unless some are being read or wait already. */
  private read(position: number, length: number): void {
    if (this.readingAt !== null || this.ahead !== null) return;
    // A client that falls behind gets no second buffer.
    if (this.current !== null && (this.buffers.isShort || !this.buffers.hasRoom)) return;
    this.readingAt = position;
    this.buffers.whenAvailable((buffer) => {
      if (this.isOver) {
        this.buffers.give(buffer);
        return;
      }
      const { transfer } = this;
      this.lane.send({ type: 'download.read', transfer, offset: position, length, buffer }, buffer);
    });
  }

  private take(message: Extract<TransferMessage, { type: 'download.bytes' }>): void {
    const { buffer, offset, length } = message;
    this.readingAt = null;
    if (this.isOver) {
      this.buffers.give(buffer);
      return;
    }
    this.ahead = { buffer, offset, length };
    if (this.blockedSince === null) this.pump();
  }

  private releaseBuffers(): void {
    this.advance();
    this.advance();
  }
}

function covers(filled: Filled | null, position: number): filled is Filled {
  return filled !== null && position >= filled.offset && position < filled.offset + filled.length;
}
