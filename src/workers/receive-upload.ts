/**
 * One upload in a lane: verify, receive, commit. The signature comes first, so nothing of an unsigned upload ever
 * touches the disk.
 */

import type { BodyPiece, FromLane, Secrets, ToLane, VerifiedUpload } from '../shared/messages.ts';
import type { StagedUpload, Storage } from './storage/storage.ts';
import { StorageError, toFailure } from './storage/storage-error.ts';
import { fileIdOf, hashOf } from './storage/store-layout.ts';
import { verifySignature } from './verify-signature.ts';

type OpenUpload = Extract<ToLane, { type: 'upload.open' }>;

export interface ReceiveContext {
  readonly storage: Storage;
  /** Sends to main; moves the message's buffer. */
  readonly send: (message: FromLane) => void;
  /** The transfer is over: forget it. */
  readonly onEnd: (transfer: number) => void;
}

export class ReceiveUpload {
  private readonly context: ReceiveContext;
  private readonly transfer: number;
  private readonly verified: VerifiedUpload;
  private readonly staged: StagedUpload;
  private isCommitting = false;

  private constructor(context: ReceiveContext, transfer: number, verified: VerifiedUpload, staged: StagedUpload) {
    this.context = context;
    this.transfer = transfer;
    this.verified = verified;
    this.staged = staged;
  }

  /** Verifies the signature and makes room. null: refused, and main has been told why. */
  static open(context: ReceiveContext, secrets: Secrets, open: OpenUpload): ReceiveUpload | null {
    const { transfer, key, size, keepVersions, terms, piece } = open;
    let verified: VerifiedUpload | null = null;
    try {
      const match = verifySignature(open.signature, secrets);
      if (match === null) throw new StorageError('signature-mismatch', open.signature.scheme);
      verified = { fileId: fileIdOf(hashOf(key)), secret: match.secret };
      const staged = context.storage.createUpload({
        key,
        size,
        type: match.message.storedType,
        keepVersions,
        ...terms,
      });
      if (piece?.isLast !== true) context.send({ type: 'upload.accepted', transfer, verified, buffer: null });
      return new ReceiveUpload(context, transfer, verified, staged);
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
    if (this.isCommitting) {
      this.context.send({ type: 'buffer.returned', buffer });
      return;
    }
    try {
      if (length > 0) this.staged.write(new Uint8Array(buffer, 0, length));
    } catch (error) {
      this.staged.discard();
      this.fail(error, buffer);
      return;
    }
    if (isLast) this.commit(buffer);
    else this.context.send({ type: 'upload.written', transfer: this.transfer, buffer });
  }

  /** Main gave up: nothing is left. A commit that runs already goes on, and its outcome stands. */
  abort(): void {
    if (this.isCommitting) return;
    this.staged.discard();
    this.context.onEnd(this.transfer);
  }

  private commit(buffer: ArrayBuffer): void {
    this.isCommitting = true;
    const { send, onEnd } = this.context;
    const { transfer, verified } = this;
    this.staged.commit().then(
      ({ file, replaced }) => {
        onEnd(transfer);
        send({ type: 'upload.stored', transfer, file, replaced, verified, buffer });
      },
      (error: unknown) => this.fail(error, buffer),
    );
  }

  private fail(error: unknown, buffer: ArrayBuffer): void {
    const { send, onEnd } = this.context;
    const { transfer, verified } = this;
    onEnd(transfer);
    send({ type: 'upload.failed', transfer, failure: toFailure(error), verified, buffer });
  }
}
