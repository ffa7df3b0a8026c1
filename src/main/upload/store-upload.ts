/**
 * One body that is the whole file, from its first byte to its outcome. When its client leaves, what arrived is kept for
 * a partial PUT that goes on, if the settings allow it; otherwise nothing is left.
 */

import { randomUUID } from 'node:crypto';
import type { CutReason } from '../../shared/events.ts';
import type { FileInfo, ReplacedContent } from '../../shared/files.ts';
import type { VerifiedUpload } from '../../shared/messages.ts';
import type { StorageFailure } from '../../shared/storage-error.ts';
import type { GoneReason } from '../http/exchange.ts';
import { mismatchProblem, storageProblems } from '../http/problem.ts';
import { noBufferFailure, plainFailure, type RunningUploadParts, type UploadEnd } from './running-upload.ts';
import type { StoreCommand } from './upload-protocol.ts';
import { cutReasons, type ReportedUpload } from './upload-report.ts';
import { type UploadEnding, type UploadObserver, type UploadProgress, UploadTransfer } from './upload-transfer.ts';

export class StoreUpload implements UploadObserver {
  private readonly parts: RunningUploadParts;
  private readonly command: StoreCommand;
  private readonly transfer: UploadTransfer;
  /** What it is called also when it is gone on with. */
  private readonly uploadId = randomUUID().replaceAll('-', '');
  /** null until the signature is known to be right. */
  private verified: VerifiedUpload | null = null;
  /** Why nothing more is taken of the body. */
  private cutReason: CutReason = 'client';
  private isOver = false;
  private isAnswered = false;

  constructor(parts: RunningUploadParts, command: StoreCommand, isResumable: boolean) {
    this.parts = parts;
    this.command = command;
    const { uploadId } = this;
    const { lane, buffers, gate, reapLanes, keepVersions } = parts;
    const { digests } = command;
    const { key, sizeBytes: size, signature, terms } = command.grant;
    this.transfer = new UploadTransfer({
      lane,
      buffers,
      gate,
      reapLanes,
      bodyBytes: size,
      isKept: isResumable,
      open: (transfer, piece) => ({
        type: 'upload.open',
        transfer,
        uploadId,
        key,
        size,
        digests,
        keepVersions,
        isResumable,
        signature,
        terms,
        piece,
      }),
      observer: this,
    });
  }

  start(): void {
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
      case 'upload.accepted':
        this.accepted(message.verified);
        break;
      case 'resumable.displaced':
        this.parts.report.displaced(message.state);
        break;
      case 'resumable.accepted':
        throw new Error(`unexpected ${message.type} for a whole file`);
      default:
        message satisfies never;
    }
  }

  ended(message: UploadEnding): void {
    switch (message.type) {
      case 'upload.stored':
        this.stored(message.file, message.replaced, message.verified);
        break;
      case 'upload.failed':
        if (message.verified !== null) this.accepted(message.verified);
        this.failed(message.failure);
        break;
      case 'resumable.superseded':
        this.suspended(message.state.offset, 'handover');
        // It goes on with another request, which waits for this one to end.
        this.parts.exchange.close('client');
        break;
      case 'resumable.suspended':
        if (message.state === null) this.discarded(this.cutReason);
        else this.suspended(message.state.offset, this.cutReason);
        break;
      case 'resumable.done':
      case 'resumable.failed':
        throw new Error(`unexpected ${message.type} for a whole file`);
      default:
        message satisfies never;
    }
  }

  lost(failure: StorageFailure): void {
    this.failed(failure);
  }

  overloaded(): void {
    this.answer({
      kind: 'refused',
      problem: storageProblems.overloaded,
      failure: plainFailure(noBufferFailure),
    });
    this.cut('io');
  }

  private accepted(verified: VerifiedUpload): void {
    if (this.verified !== null) return;
    this.verified = verified;
    const { report, exchange } = this.parts;
    const { sizeBytes, signature } = this.command.grant;
    report.verified(exchange.requestId, signature, verified);
    report.created(this.reported(verified), sizeBytes);
  }

  private stored(file: FileInfo, replaced: ReplacedContent | null, verified: VerifiedUpload): void {
    const { report, onStored } = this.parts;
    const { key } = this.command.grant;
    this.over();
    onStored(key);
    this.accepted(verified);
    report.completed(this.reported(verified), key, file, replaced);
    this.answer({ kind: 'done', outcome: { type: 'stored', file } });
  }

  private failed(failure: StorageFailure): void {
    this.parts.health.report(failure);
    this.discarded(cutReasons[failure.code]);
    const { scheme } = this.command.grant.signature;
    const problem = failure.code === 'signature-mismatch' ? mismatchProblem(scheme) : storageProblems[failure.code];
    this.answer({ kind: 'refused', problem, failure: plainFailure(failure) });
  }

  /** The client left. A body that is complete may be committed by now: then the outcome decides. */
  private gone(reason: GoneReason): void {
    if (!this.parts.exchange.isBodyComplete) this.cut(reason);
  }

  private cut(reason: CutReason): void {
    this.cutReason = reason;
    if (!this.transfer.abort()) this.discarded(reason);
  }

  private suspended(offset: number, reason: CutReason): void {
    if (this.isOver) return;
    this.over();
    if (this.verified !== null) this.parts.report.suspended(this.reported(this.verified), offset, reason);
  }

  /** Says that a verified upload left nothing behind. */
  private discarded(reason: CutReason): void {
    if (this.isOver) return;
    this.over();
    const { verified, transfer } = this;
    if (verified !== null) this.parts.report.discarded(this.reported(verified), transfer.receivedBytes, reason);
  }

  /** The outcome is decided; a client that leaves afterwards changes nothing. */
  private over(): void {
    if (!this.isOver) this.parts.onOver();
    this.isOver = true;
  }

  private answer(end: UploadEnd): void {
    if (!this.isAnswered) this.parts.onEnd(end);
    this.isAnswered = true;
  }

  private reported({ fileId }: VerifiedUpload): ReportedUpload {
    const { protocol } = this.command.grant;
    const durationMs = performance.now() - this.parts.exchange.startedMs;
    return { uploadId: this.uploadId, fileId, protocol, durationMs };
  }
}
