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
import {
  plainFailure,
  RunningUpload,
  type RunningUploadParts,
  type UploadNews,
  type UploadOrder,
  type UploadStory,
} from './running-upload.ts';
import type { GoOnCommand } from './upload-protocol.ts';
import { cutReasons, reportedUpload } from './upload-report.ts';
import type { UploadEnding } from './upload-transfer.ts';

/** The body that a command takes; null: it takes none, and what the client sends is ignored. */
export function bodyOf(command: ResumableCommand): ResumableBody | null {
  return command.type === 'create' || command.type === 'append' ? command.body : null;
}

export class ResumableRequest implements UploadStory {
  private readonly parts: RunningUploadParts;
  private readonly command: ResumableCommand;
  private readonly run: RunningUpload;
  /** Of the upload, as this request took hold of it. */
  private accepted: UploadState | null = null;
  private isVerified = false;

  constructor(parts: RunningUploadParts, { command }: GoOnCommand, allowedExtensions: ReadonlySet<string> | null) {
    this.parts = parts;
    this.command = command;
    const { keepVersions } = parts;
    const order: UploadOrder = {
      bodyBytes: bodyOf(command)?.length ?? null,
      isKept: true,
      open: (transfer, piece) => ({
        type: 'resumable.open',
        transfer,
        command,
        allowedExtensions,
        keepVersions,
        piece,
      }),
      signature: signatureOf(command),
    };
    this.run = new RunningUpload(parts, order, this);
  }

  start(): void {
    if (bodyOf(this.command) === null) this.run.startWithoutBody();
    else this.run.start();
  }

  progressed(message: UploadNews): void {
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
      case 'resumable.suspended':
        this.run.over();
        if (message.state !== null) this.suspended(message.state, this.run.cutReason);
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

  dropped(): void {
    throw new Error('what can be gone on with is always kept');
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
    this.run.over();
    if (command.type !== 'inspect') this.held(state);
    if (completed !== null) {
      onStored(state.key);
      report.completed(reportedUpload(state), state.key, completed.file, completed.replaced);
    }
    if (command.type === 'discard') report.discarded(reportedUpload(state), state.offset, 'client');
    this.run.answer({ kind: 'done', outcome: { type: 'resumable', command, outcome } });
  }

  private failed(failure: ResumableFailure): void {
    const { state, discarded, code } = failure;
    this.run.over();
    this.reportHealth(failure);
    if (discarded !== null) {
      this.held(discarded);
      this.parts.report.discarded(reportedUpload(discarded), discarded.offset, cutReasons[code]);
    } else if (this.accepted !== null && state !== null) this.suspended(state, cutReasons[code]);
    this.run.refuse(failure);
  }

  private reportHealth({ code, detail }: ResumableFailure): void {
    if (code === 'io' || code === 'store-unavailable') this.parts.health.report({ code, detail });
  }

  private suspended(state: UploadState, reason: CutReason): void {
    this.held(state);
    if (!state.isComplete) this.parts.report.suspended(reportedUpload(state), state.offset, reason);
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
