/**
 * One request on an upload that can be gone on with: create, append, inspect or discard, from its head to its outcome. The
 * upload outlives it: when the client leaves, the lane keeps what arrived and says how far it came.
 */

import type { CutReason } from '../../shared/events.ts';
import type { VerifiedUpload } from '../../shared/messages.ts';
import type {
  ResumableBody,
  ResumableCommand,
  ResumableFailure,
  ResumableOutcome,
  UploadState,
} from '../../shared/resumable.ts';
import type { SignatureCheck } from '../../shared/signature.ts';
import type { StorageFailure } from '../../shared/storage-error.ts';
import type { GoneReason } from '../http/exchange.ts';
import { mismatchProblem, resumableProblems } from '../http/problem.ts';
import { noBufferFailure, plainFailure, type RunningUploadParts, type UploadEnd } from './running-upload.ts';
import type { GoOnCommand } from './upload-protocol.ts';
import { cutReasons, reportedUpload } from './upload-report.ts';
import { type UploadEnding, type UploadObserver, type UploadProgress, UploadTransfer } from './upload-transfer.ts';

/** The body that a command takes; null: it takes none, and what the client sends is ignored. */
export function bodyOf(command: ResumableCommand): ResumableBody | null {
  return command.type === 'create' || command.type === 'append' ? command.body : null;
}

export class ResumableRequest implements UploadObserver {
  private readonly parts: RunningUploadParts;
  private readonly command: ResumableCommand;
  private readonly transfer: UploadTransfer;
  private readonly body: ResumableBody | null;
  /** Of the upload, as this request took hold of it. */
  private accepted: UploadState | null = null;
  private isVerified = false;
  /** Why nothing more is taken of the body. */
  private cutReason: CutReason = 'client';
  private isOver = false;
  private isAnswered = false;

  constructor(parts: RunningUploadParts, command: GoOnCommand, allowedExtensions: ReadonlySet<string> | null) {
    this.parts = parts;
    this.command = command.command;
    this.body = bodyOf(command.command);
    const { lane, buffers, gate, reapLanes, keepVersions } = parts;
    this.transfer = new UploadTransfer({
      lane,
      buffers,
      gate,
      reapLanes,
      bodyBytes: this.body?.length ?? null,
      isKept: true,
      open: (transfer, piece) => ({
        type: 'resumable.open',
        transfer,
        command: this.command,
        allowedExtensions,
        keepVersions,
        piece,
      }),
      observer: this,
    });
  }

  start(): void {
    if (this.body === null) {
      this.transfer.startWithoutBody();
      return;
    }
    const { exchange } = this.parts;
    exchange.onGone((reason) => this.gone(reason));
    exchange.receiveBody((chunk, isLast) => this.transfer.chunk(chunk, isLast));
    this.transfer.start();
  }

  pause(): void {
    this.parts.exchange.pauseBody();
  }

  resume(): void {
    this.parts.exchange.resumeBody();
  }

  progressed(message: UploadProgress): void {
    switch (message.type) {
      case 'resumable.accepted':
        this.verified(message.verified);
        this.held(message.state);
        break;
      case 'resumable.displaced':
        this.parts.report.displaced(message.state);
        break;
      case 'upload.accepted':
        throw new Error(`unexpected ${message.type} for an upload that can be gone on with`);
      default:
        message satisfies never;
    }
  }

  ended(message: UploadEnding): void {
    switch (message.type) {
      case 'resumable.done':
        this.verified(message.verified);
        this.done(message.outcome);
        break;
      case 'resumable.failed':
        this.verified(message.verified);
        this.failed(message.failure);
        break;
      case 'resumable.superseded':
        this.over();
        this.suspended(message.state, 'handover');
        // It goes on with another request, which waits for this one to end.
        this.parts.exchange.close('client');
        break;
      case 'resumable.suspended':
        this.over();
        if (message.state !== null) this.suspended(message.state, this.cutReason);
        break;
      case 'upload.stored':
      case 'upload.failed':
        throw new Error(`unexpected ${message.type} for an upload that can be gone on with`);
      default:
        message satisfies never;
    }
  }

  lost(failure: StorageFailure): void {
    this.failed({ ...plainFailure(failure), state: this.accepted });
  }

  overloaded(): void {
    this.refuse(plainFailure(noBufferFailure));
    this.cut('io');
  }

  /** Of creations: the signature on the slot URL is right. */
  private verified(verified: VerifiedUpload | null): void {
    const signature = signatureOf(this.command);
    if (this.isVerified || verified === null || signature === null) return;
    this.isVerified = true;
    this.parts.report.verified(this.parts.exchange.requestId, signature, verified);
  }

  /** The upload is there: new, or as it was left. */
  private held(state: UploadState): void {
    if (this.accepted !== null) return;
    this.accepted = state;
    if (this.isMaker(state)) this.parts.report.created(reportedUpload(state), state.length);
  }

  private done(outcome: ResumableOutcome): void {
    const { command } = this;
    const { report, onStored } = this.parts;
    const { state, completed } = outcome;
    this.over();
    if (command.type !== 'inspect') this.held(state);
    if (completed !== null) {
      onStored(state.key);
      report.completed(reportedUpload(state), state.key, completed.file, completed.replaced);
    }
    if (command.type === 'discard') report.discarded(reportedUpload(state), state.offset, 'client');
    this.answer({ kind: 'done', outcome: { type: 'resumable', command, outcome } });
  }

  private failed(failure: ResumableFailure): void {
    const { state, discarded, code } = failure;
    this.over();
    this.reportHealth(failure);
    if (discarded !== null) {
      this.held(discarded);
      this.parts.report.discarded(reportedUpload(discarded), discarded.offset, cutReasons[code]);
    } else if (this.accepted !== null && state !== null) this.suspended(state, cutReasons[code]);
    this.refuse(failure);
  }

  private reportHealth({ code, detail }: ResumableFailure): void {
    if (code === 'io' || code === 'store-unavailable') this.parts.health.report({ code, detail });
  }

  /** The client left. A body that is complete may be committed by now: then the outcome decides. */
  private gone(reason: GoneReason): void {
    if (!this.parts.exchange.isBodyComplete) this.cut(reason);
  }

  private cut(reason: CutReason): void {
    this.cutReason = reason;
    this.transfer.abort();
  }

  private suspended(state: UploadState, reason: CutReason): void {
    this.held(state);
    if (!state.isComplete) this.parts.report.suspended(reportedUpload(state), state.offset, reason);
  }

  /** The outcome is decided; a client that leaves afterwards changes nothing. */
  private over(): void {
    if (!this.isOver) this.parts.onOver();
    this.isOver = true;
  }

  private refuse(failure: ResumableFailure): void {
    const signature = signatureOf(this.command);
    const isMismatch = failure.code === 'signature-mismatch' && signature !== null;
    const problem = isMismatch ? mismatchProblem(signature.scheme) : resumableProblems[failure.code];
    this.answer({ kind: 'refused', problem, failure });
  }

  private answer(end: UploadEnd): void {
    if (!this.isAnswered) this.parts.onEnd(end);
    this.isAnswered = true;
  }

  /** A PUT with Content-Range that brings the first bytes makes its upload, unless there is one already. */
  private isMaker(state: UploadState): boolean {
    const { command, parts } = this;
    if (command.type === 'create') return true;
    if (command.type !== 'append' || command.target.kind !== 'slot' || command.offset > 0) return false;
    const ageMs = performance.now() - parts.exchange.startedMs;
    return state.createdAtMs >= Math.floor(Date.now() - ageMs);
  }
}

/** The signature on the slot URL; null: the upload's own URL is the authority. */
function signatureOf(command: ResumableCommand): SignatureCheck | null {
  if (command.type === 'create') return command.signature;
  return command.target.kind === 'slot' ? command.target.signature : null;
}
