/**
 * One plain upload in a lane: verify, receive, commit. The signature comes first, so nothing of an unsigned upload ever
 * touches the disk. What arrived of one whose client left, or whose slot another request goes on with, may be kept as an
 * upload of its slot.
 */

import type { BodyPiece, ToLane, VerifiedUpload } from '../shared/messages.ts';
import type { UploadState } from '../shared/resumable.ts';
import type { Holding } from '../shared/upload-holders.ts';
import { openSlot } from './find-upload.ts';
import type { LaneUpload, ReceiveContext } from './lane-upload.ts';
import { areAsExpected, ContentDigests } from './storage/content-digests.ts';
import type { StagedUpload } from './storage/storage.ts';
import { StorageError, toFailure } from './storage/storage-error.ts';
import type { HeldUpload } from './storage/uploads/held-upload.ts';
import type { UploadRecord } from './storage/uploads/upload-record.ts';
import { stateOf } from './upload-state.ts';

/** A smaller one that hangs is not asked for what it has: that is sent again as fast, and most end at once. */
const MIN_HELD_BYTES = 256 * 1024;

type OpenUpload = Extract<ToLane, { type: 'upload.open' }>;

export class ReceiveUpload implements LaneUpload {
  private readonly context: ReceiveContext;
  private readonly order: OpenUpload;
  private readonly verified: VerifiedUpload;
  private readonly staged: StagedUpload;
  private readonly digests: ContentDigests | null;
  /** Of the slot, while the body comes. */
  private holding: Holding | null = null;
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
    const isAllHere = piece?.isLast === true;
    let verified: VerifiedUpload | null = null;
    try {
      const { verified: who, storedType: type } = openSlot(key, order.signature, context.secrets);
      verified = who;
      const staged = context.storage.createUpload({ key, size, type, keepVersions, isAllHere, ...terms });
      const upload = new ReceiveUpload(context, order, verified, staged);
      if (!isAllHere) upload.awaitBody();
      return upload;
    } catch (error) {
      const buffer = piece?.buffer ?? null;
      const failure = toFailure(error);
      context.send({ type: 'upload.failed', transfer, failure, verified, buffer });
      return null;
    }
  }

  /** More of the body is to come. */
  private awaitBody(): void {
    const { send, storage } = this.context;
    const { transfer, key, size } = this.order;
    const { verified } = this;
    send({ type: 'upload.accepted', transfer, verified, buffer: null });
    if (!this.mayBeKept || size < MIN_HELD_BYTES) return;
    this.holding = storage.uploads.holdSlot(key);
    this.holding?.onWanted(() => {
      if (!this.isEnding) send({ type: 'upload.wanted', transfer, buffer: null });
    });
  }

  /** What carries a checksum counts when it was compared, or not at all. */
  private get mayBeKept(): boolean {
    return this.order.isResumable && this.digests === null;
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
    if (this.mayBeKept) {
      void this.context.keeping.take(() => this.keep());
      return;
    }
    this.staged.discard();
    this.end();
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
    const { send } = this.context;
    const { order, verified } = this;
    const { transfer } = order;
    this.staged.commit().then(
      ({ file, replaced }) => {
        this.end();
        send({ type: 'upload.stored', transfer, file, replaced, verified, buffer });
      },
      (error: unknown) => this.fail(error, buffer),
    );
  }

  private async keep(): Promise<void> {
    const { transfer, uploadId } = this.order;
    try {
      const kept = await this.staged.keep(uploadId);
      const state = kept === null ? null : await this.leave(kept.held);
      this.end();
      if (kept !== null && kept.displaced !== null) {
        const displaced = this.stateOf(kept.displaced);
        this.context.send({ type: 'resumable.displaced', transfer, state: displaced, buffer: null });
      }
      this.suspended(state);
    } catch (error) {
      this.fail(error, null);
    }
  }

  /** Lets go of what was kept, also where it cannot be made durable. */
  private async leave(held: HeldUpload): Promise<UploadState> {
    try {
      await held.settle();
      return this.stateOf(held.record);
    } finally {
      await held.release();
    }
  }

  private stateOf(record: UploadRecord): UploadState {
    return stateOf(this.context.storage.uploads, this.context.secrets, record);
  }

  private suspended(state: UploadState | null): void {
    this.context.send({ type: 'resumable.suspended', transfer: this.order.transfer, state, buffer: null });
  }

  private fail(error: unknown, buffer: ArrayBuffer | null): void {
    this.isEnding = true;
    const { order, verified } = this;
    this.end();
    this.context.send({
      type: 'upload.failed',
      transfer: order.transfer,
      failure: toFailure(error),
      verified,
      buffer,
    });
  }

  /** Nothing more becomes of it. */
  private end(): void {
    this.holding?.release();
    this.context.onEnd(this.order.transfer);
  }
}
