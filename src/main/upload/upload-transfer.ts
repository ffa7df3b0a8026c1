/**
 * The bytes of one upload on their way from the connection to a lane, whatever opens it there: a whole file, or a command
 * on an upload that can be gone on with. Each chunk is copied once, out of native memory into a buffer that then moves.
 * Credit bounds what one upload has in flight; no upload holds a buffer while it waits for its client.
 */

import type { BufferPool } from '../../shared/buffers.ts';
import type { BodyPiece, ToLane } from '../../shared/messages.ts';
import type { StorageFailure } from '../../shared/storage-error.ts';
import type { LaneClient, TransferListener, TransferMessage, TurnListener } from '../lanes/lane-client.ts';
import type { GatedUpload, ReadGate } from './read-gate.ts';

/** Buffers that one upload may have in flight. */
const CREDIT = 8;
/** Reading goes on when so many are left. */
const RESUME_AT = CREDIT / 2;
/** With more in flight in its lane, an upload looks for what the lane is done with: warm memory, used again at once. */
const REAP_AT_BYTES = 4 * 1024 * 1024;

/** Never changes: only waited on. */
const sleeper = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/** The message with which a transfer begins, and the piece of the body that is there. */
export type OpenUpload = (
  transfer: number,
  piece: BodyPiece | null,
) => Extract<ToLane, { type: 'upload.open' | 'resumable.open' }>;

/** What a lane says of an upload while it goes on. */
export type UploadProgress = Extract<
  TransferMessage,
  { type: 'upload.accepted' | 'upload.wanted' | 'resumable.accepted' | 'resumable.displaced' }
>;

/** What a lane says of an upload last. */
export type UploadEnding = Extract<
  TransferMessage,
  {
    type: 'upload.stored' | 'upload.failed' | 'resumable.done' | 'resumable.failed' | 'resumable.suspended';
  }
>;

/** Who wants to know. Exactly one of `ended` and `lost` is called, once, unless the upload is aborted and not kept. */
export interface UploadObserver {
  progressed(message: UploadProgress): void;
  ended(message: UploadEnding): void;
  /** The lane is gone, and says nothing more. */
  lost(failure: StorageFailure): void;
  /** There is no buffer to be had: the upload has to be aborted, in this call. */
  overloaded(): void;
  /** Stop reading from the client. */
  pause(): void;
  resume(): void;
}

export interface UploadTransferDependencies {
  readonly lane: LaneClient;
  readonly buffers: BufferPool;
  readonly gate: ReadGate;
  /** Brings home the buffers that all lanes are done with. */
  readonly reapLanes: () => void;
  readonly open: OpenUpload;
  /** Of the body; null: not known. */
  readonly bodyBytes: number | null;
  /** What arrived before an abort is kept, and the lane says so. */
  readonly isKept: boolean;
  readonly observer: UploadObserver;
}

export class UploadTransfer implements TransferListener, TurnListener, GatedUpload {
  private readonly lane: LaneClient;
  private readonly buffers: BufferPool;
  private readonly gate: ReadGate;
  private readonly reapLanes: () => void;
  private readonly open: OpenUpload;
  private readonly bodyBytes: number;
  private readonly isKept: boolean;
  private readonly observer: UploadObserver;
  private readonly transfer: number;
  private current: ArrayBuffer | null = null;
  private currentLength = 0;
  private inFlight = 0;
  private received = 0;
  /** Some of them in this turn. */
  private hasReceivedInTurn = false;
  private isOpened = false;
  /** Credit is used up. */
  private isBraked = false;
  /** The gate is closed. */
  private isHeld = false;
  /** Nothing more is taken of the body. */
  private isOver = false;
  /** Nobody waits for the lane any more. */
  private hasEnded = false;
  private isTurnAwaited = false;
  /** The last piece is on its way. */
  private isSent = false;

  constructor(dependencies: UploadTransferDependencies) {
    this.lane = dependencies.lane;
    this.buffers = dependencies.buffers;
    this.gate = dependencies.gate;
    this.reapLanes = dependencies.reapLanes;
    this.open = dependencies.open;
    this.bodyBytes = dependencies.bodyBytes ?? Number.POSITIVE_INFINITY;
    this.isKept = dependencies.isKept;
    this.observer = dependencies.observer;
    this.transfer = this.lane.begin(this);
  }

  get receivedBytes(): number {
    return this.received;
  }

  /** Takes a chunk that dies when this call returns. */
  chunk(bytes: Uint8Array, isLast: boolean): void {
    if (this.isOver) return;
    let offset = 0;
    while (offset < bytes.length) {
      const count = this.copy(bytes, offset);
      if (count === 0) return;
      offset += count;
      const isFull = this.currentLength === this.current?.byteLength;
      if (isFull && !(isLast && offset === bytes.length)) this.flush(false);
    }
    // With the bytes of many in one turn, lanes must have something to do before its end: others may wait for them.
    if (isLast || this.gate.isTight) this.flush(isLast);
    if (!isLast) this.awaitTurnEnd();
    this.brake();
  }

  /** Reading may begin; called once the body can be paused. */
  start(): void {
    this.awaitTurnEnd();
    if (this.gate.isClosed) this.gate.add(this);
  }

  /** The same where there is no body to read. */
  startWithoutBody(): void {
    this.isOpened = true;
    this.isSent = true;
    this.lane.send(this.open(this.transfer, null), null);
  }

  hold(): void {
    this.isHeld = true;
    if (!this.isOver) this.observer.pause();
  }

  letGo(): void {
    this.isHeld = false;
    this.resumeIfFree();
  }

  /**
   * The client is gone, or must go. True: the lane still says what became of the upload; false: nothing is left of it, or
   * it has ended before.
   */
  abort(): boolean {
    if (this.isOver) return false;
    const { transfer, isKept } = this;
    if (isKept && !this.isSent) this.flush(false);
    if (this.isOpened) this.lane.send({ type: 'upload.abort', transfer }, null);
    if (isKept) this.stopReceiving();
    else this.finish();
    return isKept;
  }

  receive(message: TransferMessage): void {
    switch (message.type) {
      case 'upload.written':
        this.inFlight -= 1;
        this.release();
        break;
      case 'upload.accepted':
      case 'upload.wanted':
      case 'resumable.accepted':
      case 'resumable.displaced':
        this.observer.progressed(message);
        break;
      case 'upload.stored':
      case 'upload.failed':
      case 'resumable.done':
      case 'resumable.failed':
      case 'resumable.suspended':
        this.finish();
        this.observer.ended(message);
        break;
      case 'signature.explained':
      case 'delete.done':
      case 'delete.failed':
      case 'download.opened':
      case 'download.bytes':
      case 'download.failed':
      case 'digest.computed':
        throw new Error(`unexpected ${message.type} for an upload`);
      default:
        message satisfies never;
    }
  }

  turnEnded(): void {
    this.isTurnAwaited = false;
    this.hasReceivedInTurn = false;
    if (this.isOver || this.isSent) return;
    this.flush(false);
    this.gate.add(this);
  }

  laneLost(failure: StorageFailure): void {
    if (this.hasEnded) return;
    this.finish();
    this.observer.lost(failure);
  }

  /** Copies what fits into the current buffer; 0 when there is none to be had and the upload was given up. */
  private copy(bytes: Uint8Array, offset: number): number {
    this.current ??= this.takeBuffer(bytes.length - offset);
    if (this.current === null) {
      this.observer.overloaded();
      return 0;
    }
    const count = Math.min(bytes.length - offset, this.current.byteLength - this.currentLength);
    new Uint8Array(this.current, this.currentLength, count).set(bytes.subarray(offset, offset + count));
    this.currentLength += count;
    this.received += count;
    this.hasReceivedInTurn = true;
    return count;
  }

  /**
   * This socket, though paused, is still being read. Holding the event loop for a moment, until the lanes have written
   * some, is better than memory without end, and than giving up an upload that does nothing wrong.
   */
  private takeBuffer(chunkBytes: number): ArrayBuffer | null {
    const wantedBytes = this.isSparing(chunkBytes) ? chunkBytes : this.bodyBytes - this.received;
    while (this.gate.mayAwaitLanes()) this.awaitLanes();
    let buffer = this.buffers.take(wantedBytes);
    while (buffer === null && this.gate.mayAwaitBuffer()) {
      this.awaitLanes();
      buffer = this.buffers.take(wantedBytes);
    }
    return buffer;
  }

  /** What comes first in a turn is often all of it: from slow clients, who send little, and when many are there. */
  private isSparing(chunkBytes: number): boolean {
    return !this.hasReceivedInTurn && (chunkBytes <= this.buffers.leastBytes || this.gate.isFlooded);
  }

  private awaitLanes(): void {
    this.reapLanes();
    Atomics.wait(sleeper, 0, 0, 1);
    this.reapLanes();
  }

  /** Bytes may arrive in the same turn as the head or more of them: wait for its end, then send what there is. */
  private awaitTurnEnd(): void {
    if (this.isTurnAwaited) return;
    this.isTurnAwaited = true;
    this.lane.atTurnEnd(this);
  }

  private flush(isLast: boolean): void {
    this.isSent = isLast;
    const hasBytes = this.currentLength > 0 || isLast;
    const piece = hasBytes ? this.takePiece(isLast) : null;
    if (!this.isOpened) {
      this.isOpened = true;
      this.lane.send(this.open(this.transfer, piece), piece?.buffer ?? null);
    } else if (piece !== null) {
      this.lane.send({ type: 'upload.data', transfer: this.transfer, piece }, piece.buffer);
    }
    if (piece !== null) this.inFlight += 1;
  }

  private takePiece(isLast: boolean): BodyPiece {
    const piece = { buffer: this.current ?? new ArrayBuffer(0), length: this.currentLength, isLast };
    this.current = null;
    this.currentLength = 0;
    return piece;
  }

  /** Credit or buffers run low: first take back what the lane is done with, and only then stop the client. */
  private brake(): void {
    if (this.gate.isTight) this.reapLanes();
    else if (this.inFlight >= CREDIT || this.lane.bytesInFlight >= REAP_AT_BYTES) this.lane.reap();
    if (this.isOver) return;
    if (this.inFlight >= CREDIT) {
      this.isBraked = true;
      this.observer.pause();
    }
    this.gate.press(this);
  }

  private release(): void {
    if (!this.isBraked || this.inFlight > RESUME_AT) return;
    this.isBraked = false;
    this.resumeIfFree();
  }

  private resumeIfFree(): void {
    if (!this.isOver && !this.isBraked && !this.isHeld) this.observer.resume();
  }

  private finish(): void {
    this.hasEnded = true;
    this.lane.end(this.transfer);
    this.stopReceiving();
  }

  private stopReceiving(): void {
    if (this.isOver) return;
    this.isOver = true;
    if (this.current !== null) this.buffers.give(this.current);
    this.current = null;
    this.gate.remove(this);
  }
}
