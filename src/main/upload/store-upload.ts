/**
 * One body that is the whole file, from its first byte to its outcome. When its client leaves, what arrived is kept for
 * a partial PUT that goes on, if the settings allow it; otherwise nothing is left.
 */

import { randomUUID } from 'node:crypto';
import type { CutReason } from '../../shared/events.ts';
import type { ReplacedContent, StoredFile } from '../../shared/files.ts';
import type { VerifiedUpload } from '../../shared/messages.ts';
import type { StorageFailure } from '../../shared/storage-error.ts';
import {
  plainFailure,
  RunningUpload,
  type RunningUploadParts,
  type UploadNews,
  type UploadOrder,
  type UploadStory,
} from './running-upload.ts';
import type { StoreCommand } from './upload-protocol.ts';
import { cutReasons, type ReportedUpload } from './upload-report.ts';
import type { UploadEnding } from './upload-transfer.ts';

export class StoreUpload implements UploadStory {
  private readonly parts: RunningUploadParts;
  private readonly command: StoreCommand;
  private readonly run: RunningUpload;
  /** What it is called also when it is gone on with. */
  private readonly uploadId = randomUUID().replaceAll('-', '');
  /** null until the signature is known to be right. */
  private verified: VerifiedUpload | null = null;

  constructor(parts: RunningUploadParts, command: StoreCommand, isResumable: boolean) {
    this.parts = parts;
    this.command = command;
    const { uploadId } = this;
    const { keepVersions } = parts;
    const { digests } = command;
    const { key, sizeBytes: size, signature, terms } = command.grant;
    const order: UploadOrder = {
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
      signature,
    };
    this.run = new RunningUpload(parts, order, this);
  }

  start(): void {
    this.run.start();
  }

  progressed(message: UploadNews): void {
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
      case 'resumable.suspended':
        if (message.state === null) this.discarded(this.run.cutReason);
        else this.suspended(message.state.offset);
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

  dropped(): void {
    this.discarded(this.run.cutReason);
  }

  private accepted(verified: VerifiedUpload): void {
    if (this.verified !== null) return;
    this.verified = verified;
    const { report, exchange } = this.parts;
    const { sizeBytes, signature } = this.command.grant;
    report.verified(exchange.requestId, signature, verified);
    report.created(this.reported(verified), sizeBytes);
  }

  private stored(file: StoredFile, replaced: ReplacedContent | null, verified: VerifiedUpload): void {
    const { report, onStored } = this.parts;
    const { key } = this.command.grant;
    this.run.over();
    onStored(key);
    this.accepted(verified);
    report.completed(this.reported(verified), key, file, replaced);
    this.run.answer({ kind: 'done', outcome: { type: 'stored', file } });
  }

  private failed(failure: StorageFailure): void {
    this.parts.health.report(failure);
    this.discarded(cutReasons[failure.code]);
    this.run.refuse(plainFailure(failure));
  }

  private suspended(offset: number): void {
    this.run.over();
    if (this.verified !== null) {
      this.parts.report.suspended(this.reported(this.verified), offset, this.run.cutReason);
    }
  }

  /** Says that a verified upload left nothing behind. */
  private discarded(reason: CutReason): void {
    this.run.over();
    const { verified, run } = this;
    if (verified !== null) this.parts.report.discarded(this.reported(verified), run.receivedBytes, reason);
  }

  private reported({ fileId }: VerifiedUpload): ReportedUpload {
    const { protocol } = this.command.grant;
    const durationMs = performance.now() - this.parts.exchange.startedMs;
    return { uploadId: this.uploadId, fileId, protocol, durationMs };
  }
}
