/**
 * One request that uploads, whatever it does with its body: reads it from the client into a transfer, stops and goes on as
 * the transfer says, and ends once. When another request goes on with the upload, what has arrived is still sent to the
 * lane, and the connection is closed. What became of the upload is for its story to tell.
 */

import type { CutReason } from '../../shared/events.ts';
import type { FileKey } from '../../shared/files.ts';
import type { ResumableFailure } from '../../shared/resumable.ts';
import type { SignatureCheck } from '../../shared/signature.ts';
import type { StorageFailure } from '../../shared/storage-error.ts';
import type { Exchange } from '../http/exchange.ts';
import { mismatchProblem, type Problem, resumableProblems } from '../http/problem.ts';
import type { StoreHealth } from '../store/store-health.ts';
import { LastBytes } from './last-bytes.ts';
import type { ReadGate } from './read-gate.ts';
import type { UploadOutcome } from './upload-protocol.ts';
import type { UploadReport } from './upload-report.ts';
import {
  type UploadEnding,
  type UploadObserver,
  type UploadProgress,
  UploadTransfer,
  type UploadTransferDependencies,
} from './upload-transfer.ts';

/** How an upload ended. `failure` is set when a worker refused or failed it. */
export type UploadEnd =
  | { readonly kind: 'done'; readonly outcome: UploadOutcome }
  | { readonly kind: 'refused'; readonly problem: Problem; readonly failure: ResumableFailure | null };

export type OnEnd = (end: UploadEnd) => void;

export interface RunningUploadParts extends Pick<UploadTransferDependencies, 'lane' | 'buffers' | 'reapLanes'> {
  readonly gate: ReadGate;
  readonly exchange: Exchange;
  readonly report: UploadReport;
  readonly health: StoreHealth;
  /** Of an existing file that the upload replaces; null: slots are used once. */
  readonly keepVersions: number | null;
  /** Told of every file that appears under a name. */
  readonly onStored: (key: FileKey) => void;
  /** The outcome is decided, also where nobody is left to be told. Called once. */
  readonly onOver: () => void;
  readonly onEnd: OnEnd;
}

/** What the lane is told of the upload, and how its body comes. */
export interface UploadOrder extends Pick<UploadTransferDependencies, 'open' | 'bodyBytes' | 'isKept'> {
  /** Covers the slot; null: the upload's own URL is the authority. */
  readonly signature: SignatureCheck | null;
}

/** What a lane says of an upload while it goes on, beside that another request wants it. */
export type UploadNews = Exclude<UploadProgress, { type: 'upload.wanted' }>;

/** Knows what the messages of the lane mean. Exactly one of `ended`, `lost` and `dropped` is called, once. */
export interface UploadStory {
  progressed(message: UploadNews): void;
  ended(message: UploadEnding): void;
  /** The lane is gone. */
  lost(failure: StorageFailure): void;
  /** It was given up, and nothing is left of it. */
  dropped(): void;
}

const noBufferFailure: StorageFailure = { code: 'overloaded', detail: 'no transfer buffer is free' };

export class RunningUpload implements UploadObserver {
  private readonly parts: RunningUploadParts;
  private readonly order: UploadOrder;
  private readonly story: UploadStory;
  private readonly transfer: UploadTransfer;
  private isPaused = false;
  /** Why nothing more is taken of the body; null: it is. */
  private cut: CutReason | null = null;
  /** Another request goes on with the upload. */
  private lastBytes: LastBytes | null = null;
  private isOver = false;
  private isAnswered = false;

  constructor(parts: RunningUploadParts, order: UploadOrder, story: UploadStory) {
    this.parts = parts;
    this.order = order;
    this.story = story;
    const { lane, buffers, gate, reapLanes } = parts;
    const { open, bodyBytes, isKept } = order;
    this.transfer = new UploadTransfer({ lane, buffers, gate, reapLanes, open, bodyBytes, isKept, observer: this });
  }

  /** Reads the body. */
  start(): void {
    const { exchange } = this.parts;
    // A body that is complete may be committed by now: then the outcome decides.
    exchange.onGone((reason) => this.cutUnlessComplete(reason));
    exchange.receiveBody((chunk, isLast) => this.transfer.chunk(chunk, isLast));
    this.transfer.start();
  }

  /** The same where there is none; what the client sends all the same is ignored. */
  startWithoutBody(): void {
    this.transfer.startWithoutBody();
  }

  get receivedBytes(): number {
    return this.transfer.receivedBytes;
  }

  /** Why the body was cut, when it was. */
  get cutReason(): CutReason {
    return this.cut ?? 'client';
  }

  pause(): void {
    this.isPaused = true;
    this.parts.exchange.pauseBody();
    this.lastBytes?.paused();
  }

  resume(): void {
    this.isPaused = false;
    this.parts.exchange.resumeBody();
    this.lastBytes?.resumed();
  }

  progressed(message: UploadProgress): void {
    if (message.type === 'upload.wanted') this.handOver();
    else this.story.progressed(message);
  }

  ended(message: UploadEnding): void {
    this.lastBytes?.stop();
    this.story.ended(message);
    // The upload goes on with another request.
    if (message.type === 'resumable.suspended' && this.cut === 'handover') this.parts.exchange.close('client');
  }

  lost(failure: StorageFailure): void {
    this.lastBytes?.stop();
    this.story.lost(failure);
  }

  overloaded(): void {
    this.refuse(plainFailure(noBufferFailure));
    this.giveUp('io');
  }

  refuse(failure: ResumableFailure): void {
    const { signature } = this.order;
    const isMismatch = failure.code === 'signature-mismatch' && signature !== null;
    const problem = isMismatch ? mismatchProblem(signature.scheme) : resumableProblems[failure.code];
    this.answer({ kind: 'refused', problem, failure });
  }

  answer(end: UploadEnd): void {
    if (!this.isAnswered) this.parts.onEnd(end);
    this.isAnswered = true;
  }

  /** The outcome is decided; a client that leaves afterwards changes nothing. */
  over(): void {
    if (!this.isOver) this.parts.onOver();
    this.isOver = true;
  }

  private handOver(): void {
    if (this.cut !== null || this.parts.exchange.isBodyComplete) return;
    this.lastBytes ??= new LastBytes({
      receivedBytes: () => this.receivedBytes,
      isPaused: this.isPaused,
      onEnd: () => this.cutUnlessComplete('handover'),
    });
  }

  private cutUnlessComplete(reason: CutReason): void {
    this.lastBytes?.stop();
    if (!this.parts.exchange.isBodyComplete) this.giveUp(reason);
  }

  private giveUp(reason: CutReason): void {
    if (this.cut !== null || this.isOver) return;
    this.cut = reason;
    if (!this.transfer.abort()) this.story.dropped();
  }
}

/** A failure that says nothing about an upload which can be gone on with. */
export function plainFailure(failure: StorageFailure): ResumableFailure {
  return { ...failure, state: null, discarded: null };
}
