/**
 * One command on an upload that can be gone on with, from its opening to its answer. The upload is held meanwhile. When
 * somebody else wants it main is told; once main gives it up, as it does when the client is gone, what arrived is stored
 * and it is let go. A body that carries a checksum counts when it was compared, or not at all.
 */

import type { BodyPiece, FromLane, ToLane, VerifiedUpload } from '../shared/messages.ts';
import type { ResumableOutcome, UploadState } from '../shared/resumable.ts';
import { beginUpload, isFatal } from './begin-upload.ts';
import type { Begun } from './begun.ts';
import type { LaneUpload, ReceiveContext } from './lane-upload.ts';
import type { Committed } from './storage/committed.ts';
import { areAsExpected, ContentDigests } from './storage/content-digests.ts';
import { StorageError } from './storage/storage-error.ts';
import { describeFailure, UploadError } from './storage/uploads/upload-error.ts';
import { isDue, type UploadRecord } from './storage/uploads/upload-record.ts';
import { limitOf, settledLength } from './upload-rules.ts';
import { stateOf } from './upload-state.ts';

type OpenResumable = Extract<ToLane, { type: 'resumable.open' }>;

export class ReceiveResumable implements LaneUpload {
  private readonly context: ReceiveContext;
  private readonly open: OpenResumable;
  /** `waiting`: for the upload. `ending`: nothing more is received. */
  private phase: 'waiting' | 'receiving' | 'ending' = 'waiting';
  /** Came while the upload was waited for. */
  private queue: BodyPiece[] = [];
  private isGivenUp = false;
  private verified: VerifiedUpload | null = null;
  /** What the command is about, as far as it is known; what a failure tells. */
  private found: UploadRecord | null = null;
  private discarded: UploadRecord | null = null;
  private begun: Begun | null = null;
  private bodyDigests: ContentDigests | null = null;

  constructor(context: ReceiveContext, open: OpenResumable) {
    this.context = context;
    this.open = open;
    if (open.piece !== null) this.queue.push(open.piece);
  }

  /** Begins; whatever becomes of it, main is told once. */
  start(): void {
    void this.begin();
  }

  receive(piece: BodyPiece): void {
    if (this.phase === 'waiting') this.queue.push(piece);
    else if (this.phase === 'receiving' && this.begun !== null) this.take(this.begun, piece);
    else this.context.send({ type: 'buffer.returned', buffer: piece.buffer });
  }

  /** The client is gone, or another goes on: what arrived is kept. A commit that runs already goes on, and its outcome stands. */
  abort(): void {
    this.isGivenUp = true;
    if (this.phase === 'receiving' && this.begun !== null) void this.suspend(this.begun);
  }

  private async begin(): Promise<void> {
    const { storage, secrets } = this.context;
    const { command, allowedExtensions, keepVersions } = this.open;
    try {
      const begun = await beginUpload(
        {
          uploads: storage.uploads,
          secrets,
          allowedExtensions,
          mayReplace: keepVersions !== null,
          isGivenUp: () => this.isGivenUp,
          onVerified: (verified) => (this.verified = verified),
          onFound: (record) => (this.found = record),
          onDiscarded: (record) => (this.discarded = record),
        },
        command,
      );
      if (begun === null)
        this.end({ type: 'resumable.suspended', transfer: this.open.transfer, state: null, buffer: null });
      else this.beginReceiving(begun);
    } catch (error) {
      await this.fail(error, null);
    }
  }

  private beginReceiving(begun: Begun): void {
    const { send } = this.context;
    const { transfer } = this.open;
    const { held, body, displaced } = begun;
    this.begun = begun;
    this.found = held.record;
    this.phase = 'receiving';
    if (displaced !== null) {
      send({ type: 'resumable.displaced', transfer, state: this.stateOf(displaced), buffer: null });
    }
    if (this.isGivenUp) {
      this.suspendLate(begun);
    } else if (body === null || (body.length === 0 && this.queue.length === 0)) {
      void this.conclude(begun, null);
    } else {
      this.beginBody(begun);
    }
  }

  /** The client left while the upload was being made: what it had sent by then counts as if it had left later. */
  private suspendLate(begun: Begun): void {
    const isCounted = begun.body?.digests.length === 0;
    if (isCounted) for (const piece of this.queue.splice(0)) this.receive(piece);
    if (this.phase === 'receiving') void this.suspend(begun);
  }

  private beginBody(begun: Begun): void {
    const { held, body } = begun;
    const { transfer } = this.open;
    const digests = body?.digests ?? [];
    if (digests.length > 0) {
      held.holdBack();
      this.bodyDigests = new ContentDigests(digests.map(({ algorithm }) => algorithm));
    }
    if (this.queue.at(-1)?.isLast !== true) {
      const state = this.stateOf(held.record);
      this.context.send({ type: 'resumable.accepted', transfer, state, verified: this.verified, buffer: null });
      held.onWanted(() => {
        if (this.phase === 'receiving') this.context.send({ type: 'upload.wanted', transfer, buffer: null });
      });
    }
    for (const piece of this.queue.splice(0)) this.receive(piece);
  }

  private take(begun: Begun, { buffer, length, isLast }: BodyPiece): void {
    try {
      if (length > 0) this.write(begun, new Uint8Array(buffer, 0, length));
    } catch (error) {
      void this.fail(error, buffer);
      return;
    }
    if (isLast) void this.conclude(begun, buffer);
    else this.context.send({ type: 'upload.written', transfer: this.open.transfer, buffer });
  }

  private write({ held, length }: Begun, bytes: Uint8Array): void {
    if (this.context.storage.uploads.isFinished(held.record)) throw new UploadError('upload-complete');
    const limit = limitOf({ ...held.record, length });
    if (limit !== null && held.writtenBytes + bytes.length > limit) throw new UploadError('body-too-long');
    this.bodyDigests?.update(bytes);
    held.write(bytes);
  }

  /** Everything has arrived. */
  private async conclude(begun: Begun, buffer: ArrayBuffer | null): Promise<void> {
    this.phase = 'ending';
    const { held } = begun;
    try {
      const completed = await this.execute(begun);
      const { isComplete, ...state } = this.stateOf(held.record);
      await held.release();
      // Committed, though the bytes may have kept a second name.
      const outcome: ResumableOutcome = {
        state: { ...state, isComplete: isComplete || completed !== null },
        completed,
      };
      const { verified } = this;
      this.end({ type: 'resumable.done', transfer: this.open.transfer, outcome, verified, buffer });
    } catch (error) {
      await this.fail(error, buffer);
    }
  }

  private async execute(begun: Begun): Promise<Committed | null> {
    const { uploads } = this.context.storage;
    const { held, body, length } = begun;
    const { command, keepVersions } = this.open;
    if (command.type === 'discard') {
      if (uploads.isFinished(held.record)) throw new UploadError('upload-complete');
      await held.discard();
      return null;
    }
    if (uploads.isFinished(held.record)) return null;
    if (body === null) {
      if (isDue(held.record)) return await uploads.complete(held, keepVersions);
      await held.settle();
      return null;
    }
    await this.compare(begun);
    const total = held.writtenBytes;
    const isWhole = body.completes ?? total === length;
    const lengths = { ...held.record, length };
    const change = isWhole ? { length: settledLength(total, lengths) } : { length };
    if (isWhole && held.record.concatenation !== 'partial') return await uploads.complete(held, keepVersions);
    await held.settle(change.length === held.record.length ? {} : change);
    return null;
  }

  /** Errors: digest-mismatch; then nothing of the body counts. */
  private async compare({ held, body }: Begun): Promise<void> {
    const results = this.bodyDigests?.results() ?? new Map();
    if (areAsExpected(results, body?.digests ?? [])) return;
    await held.rewind();
    throw new StorageError('digest-mismatch', 'the body');
  }

  private async suspend(begun: Begun): Promise<void> {
    this.phase = 'ending';
    const { held } = begun;
    const { transfer } = this.open;
    try {
      await this.keepArrived(begun);
      const state = this.stateOf(held.record);
      await held.release();
      this.end({ type: 'resumable.suspended', transfer, state, buffer: null });
    } catch (error) {
      await this.fail(error, null);
    }
  }

  /** What counts of a body that has not come to its end. */
  private async keepArrived({ held, length }: Begun): Promise<void> {
    if (this.bodyDigests !== null) await held.rewind();
    await held.settle(length === held.record.length ? {} : { length });
  }

  /** Whatever fails, the upload is left as it can be gone on with; one that nobody has heard of yet is not left at all. */
  private async fail(error: unknown, buffer: ArrayBuffer | null): Promise<void> {
    this.phase = 'ending';
    const { begun, verified } = this;
    const { transfer } = this.open;
    if (begun !== null) await this.leave(begun, error);
    const { code, detail } = describeFailure(error);
    const discarded = this.discarded === null ? null : this.stateOf(this.discarded);
    const state = this.discarded === null && this.found !== null ? this.stateOf(this.found) : null;
    const failure = { code, detail, state, discarded };
    this.end({ type: 'resumable.failed', transfer, failure, verified, buffer });
  }

  private async leave(begun: Begun, error: unknown): Promise<void> {
    const { held, isNew } = begun;
    const { record } = held;
    try {
      if (held.isOver) {
        this.discarded = record;
      } else if ((isNew && this.open.command.type === 'create') || isFatal(error, record)) {
        await held.discard();
        this.discarded = record;
      } else if (!held.isFinished) {
        await this.keepArrived(begun);
      }
    } catch {
      // The disk that failed may fail again. What does not count is cut off when somebody goes on.
    }
    this.found = held.record;
    await held.release();
  }

  /** The last message. */
  private end(message: FromLane): void {
    const { send, onEnd } = this.context;
    for (const { buffer } of this.queue.splice(0)) send({ type: 'buffer.returned', buffer });
    onEnd(this.open.transfer);
    send(message);
  }

  private stateOf(record: UploadRecord): UploadState {
    return stateOf(this.context.storage.uploads, this.context.secrets, record);
  }
}
