/**
 * Executes upload commands, whatever protocol they came by: admission, transfer to a lane, outcome. It enforces what
 * the authorisers granted, and publishes what became of each upload.
 */

import { randomUUID } from 'node:crypto';
import type { BufferPool } from '../../shared/buffers.ts';
import type { CutReason, EventPublisher, UploadRef } from '../../shared/events.ts';
import type { FileInfo, FileKey, ReplacedContent } from '../../shared/files.ts';
import type { VerifiedUpload } from '../../shared/messages.ts';
import type { SharedCount } from '../../shared/shared-count.ts';
import type { StorageErrorCode, StorageFailure } from '../../shared/storage-error.ts';
import type { UploadGrant } from '../auth/grant.ts';
import type { Exchange, GoneReason } from '../http/exchange.ts';
import { mismatchProblem, type Problem, problems, storageProblems } from '../http/problem.ts';
import type { StoreHealth } from '../store-health.ts';
import type { WorkerPool } from '../worker-pool.ts';
import { ReadGate } from './read-gate.ts';
import type { UploadCommand, UploadOutcome } from './upload-protocol.ts';
import { type UploadObserver, UploadTransfer } from './upload-transfer.ts';

export interface UploadServiceOptions {
  readonly pool: WorkerPool;
  readonly buffers: BufferPool;
  readonly events: EventPublisher;
  readonly health: StoreHealth;
  /** Uploads whose outcome is not decided, also those whose client has left while the commit was running. */
  readonly inFlight: SharedCount;
  readonly maxConcurrentUploads: number;
  /** Of an existing file that an upload replaces; null: slots are used once. */
  readonly keepVersions: () => number | null;
  /** Told of every file that appears under a name. */
  readonly onStored: (key: FileKey) => void;
}

/** How an upload ended. `failure` is set when a worker refused or failed it. */
export type UploadEnd =
  | { readonly kind: 'done'; readonly outcome: UploadOutcome }
  | { readonly kind: 'refused'; readonly problem: Problem; readonly failure: StorageFailure | null };

type OnEnd = (end: UploadEnd) => void;

export class UploadService {
  private readonly options: UploadServiceOptions;
  private readonly gate: ReadGate;

  constructor(options: UploadServiceOptions) {
    this.options = options;
    this.gate = new ReadGate(options.buffers);
  }

  /**
   * Executes the command with the body of the exchange. Called in the turn in which the request arrived. `onEnd` is
   * called at most once, and not when the client left before the body was complete.
   */
  execute(command: UploadCommand, exchange: Exchange, onEnd: OnEnd): void {
    const { events, health, inFlight, maxConcurrentUploads } = this.options;
    if (health.isDegraded) {
      onEnd({ kind: 'refused', problem: problems.unavailable, failure: null });
      return;
    }
    // Counted before it is looked at: others may be let in at the same moment.
    if (inFlight.addAndSum(1) > maxConcurrentUploads) {
      inFlight.add(-1);
      events.publish({ type: 'pool.saturated', uploads: maxConcurrentUploads, limit: maxConcurrentUploads });
      onEnd({ kind: 'refused', problem: problems.busy, failure: null });
      return;
    }
    new RunningUpload({ ...this.options, gate: this.gate, grant: command.grant, exchange, onEnd }).start();
  }
}

interface RunningUploadOptions extends UploadServiceOptions {
  readonly gate: ReadGate;
  readonly grant: UploadGrant;
  readonly exchange: Exchange;
  readonly onEnd: OnEnd;
}

/** One upload from the first byte to its outcome. */
class RunningUpload implements UploadObserver {
  private readonly options: RunningUploadOptions;
  private readonly transfer: UploadTransfer;
  private readonly uploadId = randomUUID();
  /** null until the signature is known to be right. */
  private verified: VerifiedUpload | null = null;
  private isOver = false;

  constructor(options: RunningUploadOptions) {
    this.options = options;
    const { grant, buffers, gate, pool } = options;
    const reapLanes = (): void => pool.reapUploads();
    const { key, sizeBytes: size, signature, terms } = grant;
    const order = { key, size, signature, terms, keepVersions: options.keepVersions() };
    this.transfer = new UploadTransfer({ lane: pool.uploadLane(), buffers, gate, reapLanes, order, observer: this });
  }

  start(): void {
    const { exchange } = this.options;
    exchange.onGone((reason) => this.gone(reason));
    exchange.receiveBody((chunk, isLast) => this.transfer.chunk(chunk, isLast));
    this.transfer.start();
  }

  pause(): void {
    this.options.exchange.pauseBody();
  }

  resume(): void {
    this.options.exchange.resumeBody();
  }

  accepted(verified: VerifiedUpload): void {
    if (this.verified !== null) return;
    const { events, exchange, grant } = this.options;
    this.verified = verified;
    const { requestId } = exchange;
    const { scheme } = grant.signature;
    events.publish({ type: 'signature.checked', requestId, scheme, result: 'ok', secret: verified.secret });
    events.publish({ type: 'upload.created', sizeBytes: grant.sizeBytes, ...this.ref(verified) });
  }

  stored(file: FileInfo, replaced: ReplacedContent | null, verified: VerifiedUpload): void {
    const { events, grant, onEnd, onStored } = this.options;
    this.over();
    onStored(grant.key);
    this.accepted(verified);
    const { durationMs } = this;
    events.publish({ type: 'upload.completed', sizeBytes: file.size, durationMs, ...this.ref(verified) });
    if (replaced !== null) this.rotated(replaced, verified);
    onEnd({ kind: 'done', outcome: { type: 'stored', file } });
  }

  failed(failure: StorageFailure, verified: VerifiedUpload | null): void {
    const { grant, health, onEnd } = this.options;
    this.over();
    health.report(failure);
    if (verified !== null) this.accepted(verified);
    this.discarded(cutReasons[failure.code]);
    const isMismatch = failure.code === 'signature-mismatch';
    const problem = isMismatch ? mismatchProblem(grant.signature.scheme) : storageProblems[failure.code];
    onEnd({ kind: 'refused', problem, failure });
  }

  private rotated({ versionId, size, removedVersions }: ReplacedContent, { fileId }: VerifiedUpload): void {
    const { events, grant } = this.options;
    const { uploadId } = this;
    const path = grant.key;
    if (versionId !== null) {
      events.publish({ type: 'version.rotated', uploadId, sizeBytes: size, fileId, path, versionId });
    }
    for (const removed of removedVersions) {
      events.publish({ type: 'version.removed', fileId, path, versionId: removed });
    }
  }

  /** The client left. A body that is complete may be committed by now: then the outcome decides. */
  private gone(reason: GoneReason): void {
    if (this.options.exchange.isBodyComplete) return;
    this.transfer.abort();
    this.over();
    this.discarded(reason);
  }

  /** The outcome is decided; a client that leaves afterwards changes nothing. */
  private over(): void {
    if (!this.isOver) this.options.inFlight.add(-1);
    this.isOver = true;
  }

  /** Says that a verified upload left nothing behind. */
  private discarded(reason: CutReason): void {
    if (this.verified === null) return;
    const { durationMs, transfer } = this;
    const { receivedBytes } = transfer;
    this.options.events.publish({
      type: 'upload.discarded',
      receivedBytes,
      reason,
      durationMs,
      ...this.ref(this.verified),
    });
  }

  private get durationMs(): number {
    return performance.now() - this.options.exchange.startedMs;
  }

  private ref(verified: VerifiedUpload): UploadRef {
    return { uploadId: this.uploadId, fileId: verified.fileId, protocol: this.options.grant.protocol };
  }
}

const cutReasons = {
  'signature-mismatch': 'client',
  exists: 'conflict',
  'path-conflict': 'conflict',
  'not-found': 'io',
  'no-space': 'no_space',
  'over-quota': 'over_quota',
  'too-large': 'too_large',
  'size-mismatch': 'client',
  'store-unavailable': 'io',
  'too-many-files': 'io',
  overloaded: 'io',
  denied: 'io',
  io: 'io',
  'worker-lost': 'io',
} satisfies Record<StorageErrorCode, CutReason>;
