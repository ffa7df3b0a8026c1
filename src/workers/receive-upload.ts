/**
 * One plain upload in a lane: verify, receive, commit. The signature comes first, so nothing of an unsigned upload ever
 * touches the disk. What arrived of one whose client left may be kept as an upload of its slot.
 */

import type { BodyPiece, ToLane, VerifiedUpload } from '../shared/messages.ts';
import { openSlot } from './find-upload.ts';
import type { LaneUpload, ReceiveContext } from './lane-upload.ts';
import { areAsExpected, ContentDigests } from './storage/content-digests.ts';
import type { StagedUpload } from './storage/storage.ts';
import { StorageError, toFailure } from './storage/storage-error.ts';
import { stateOf } from './upload-state.ts';

type OpenUpload = Extract<ToLane, { type: 'upload.open' }>;

export class ReceiveUpload implements LaneUpload {
  private readonly context: ReceiveContext;
  private readonly order: OpenUpload;
  private readonly verified: VerifiedUpload;
  private readonly staged: StagedUpload;
  private readonly digests: ContentDigests | null;
  private isEnding = false;

  private constructor(context: ReceiveContext, order: OpenUpload, verified: VerifiedUpload, staged: StagedUpload) {
    this.context = context;
    this.order = order;
    this.verified = verified;
    this.staged = staged;
    const algorithms = order.digests.map(({ algorithm }) => algorithm);
    this.digests = algorithms.length === 0 ? null : new ContentDigests(algorithms);
  }

  /** Verifies the signature and makes room. null: refused, and main has been told why. */
  static open(context: ReceiveContext, order: OpenUpload): ReceiveUpload | null {
    const { transfer, key, size, keepVersions, terms, piece } = order;
    let verified: VerifiedUpload | null = null;
    try {
      const opened = openSlot(key, order.signature, context.secrets);
      verified = opened.verified;
      const staged = context.storage.createUpload({ key, size, type: opened.storedType, keepVersions, ...terms });
      if (piece?.isLast !== true) context.send({ type: 'upload.accepted', transfer, verified, buffer: null });
      return new ReceiveUpload(context, order, verified, staged);
    } catch (error) {
      const buffer = piece?.buffer ?? null;
      const failure = toFailure(error);
      context.send({ type: 'upload.failed', transfer, failure, verified, buffer });
      return null;
    }
  }

  /** Writes one piece; the last one starts the commit. */
  receive(piece: BodyPiece): void {
    const { buffer, length, isLast } = piece;
    if (this.isEnding) {
      this.context.send({ type: 'buffer.returned', buffer });
      return;
    }
    try {
      if (length > 0) this.write(new Uint8Array(buffer, 0, length));
      if (isLast) this.compare();
    } catch (error) {
      this.staged.discard();
      this.fail(error, buffer);
      return;
    }
    if (isLast) this.commit(buffer);
    else this.context.send({ type: 'upload.written', transfer: this.order.transfer, buffer });
  }

  /** Main gave up: what arrived is kept or discarded. A commit that runs already goes on, and its outcome stands. */
  abort(): void {
    if (this.isEnding) return;
    this.isEnding = true;
    // What carries a checksum counts when it was compared, or not at all.
    if (this.order.isResumable && this.digests === null) {
      void this.keep();
      return;
    }
    this.staged.discard();
    this.context.onEnd(this.order.transfer);
    if (this.order.isResumable) this.suspended(null);
  }

  private write(bytes: Uint8Array): void {
    this.staged.write(bytes);
    this.digests?.update(bytes);
  }

  /** Errors: digest-mismatch. */
  private compare(): void {
    if (this.digests === null || areAsExpected(this.digests.results(), this.order.digests)) return;
    throw new StorageError('digest-mismatch', 'the body');
  }

  private commit(buffer: ArrayBuffer): void {
    this.isEnding = true;
    const { send, onEnd } = this.context;
    const { order, verified } = this;
    const { transfer } = order;
    this.staged.commit().then(
      ({ file, replaced }) => {
        onEnd(transfer);
        send({ type: 'upload.stored', transfer, file, replaced, verified, buffer });
      },
      (error: unknown) => this.fail(error, buffer),
    );
  }

  private async keep(): Promise<void> {
    const { send, onEnd, storage, secrets } = this.context;
    const { transfer, uploadId } = this.order;
    try {
      const kept = await this.staged.keep(uploadId);
      if (kept === null) {
        onEnd(transfer);
        this.suspended(null);
        return;
      }
      const { held, displaced } = kept;
      await held.settle();
      const stateOfRecord = (record: typeof held.record) => stateOf(storage.uploads, secrets, record);
      const state = stateOfRecord(held.record);
      await held.release();
      onEnd(transfer);
      if (displaced !== null) {
        send({ type: 'resumable.displaced', transfer, state: stateOfRecord(displaced), buffer: null });
      }
      send({ type: 'resumable.suspended', transfer, state, buffer: null });
    } catch (error) {
      this.fail(error, null);
    }
  }

  private suspended(state: null): void {
    this.context.send({ type: 'resumable.suspended', transfer: this.order.transfer, state, buffer: null });
  }

  private fail(error: unknown, buffer: ArrayBuffer | null): void {
    this.isEnding = true;
    const { send, onEnd } = this.context;
    const { order, verified } = this;
    const { transfer } = order;
    onEnd(transfer);
    send({ type: 'upload.failed', transfer, failure: toFailure(error), verified, buffer });
  }
}
