/**
 * Digests of stored contents, for clients that ask for one. A content is read in pieces, with a turn of the event loop for
 * each, so that the downloads of the lane go on beside it.
 */

import { createHash, type Hash } from 'node:crypto';
import type { FromLane, ToLane } from '../shared/messages.ts';
import type { OpenFile, Storage } from './storage/storage.ts';

type ComputeDigest = Extract<ToLane, { type: 'digest.compute' }>;

const PIECE_BYTES = 256 * 1024;

export interface DigestContext {
  readonly storage: Storage;
  readonly send: (message: FromLane) => void;
}

/** The digests that a lane works on. */
export class DigestFiles {
  private readonly context: DigestContext;
  private readonly piece = new Uint8Array(PIECE_BYTES);
  private isOver = false;

  constructor(context: DigestContext) {
    this.context = context;
  }

  /** Answers `digest.computed`, unless the lane ends before. Never throws. */
  compute(request: ComputeDigest): void {
    const { transfer, first, length, algorithm } = request;
    const file = this.open(request);
    if (file === null) this.answer(transfer, null);
    else this.readOn(transfer, file, { position: first, end: first + length, hash: createHash(algorithm) });
  }

  /** The lane ends: nobody listens any more. */
  stop(): void {
    this.isOver = true;
  }

  /** null: the content that is meant is not there any more. */
  private open({ key, validator, first, length }: ComputeDigest): OpenFile | null {
    try {
      const file = this.context.storage.openFile(key);
      if (file.info.validator === validator && first + length <= file.info.size) return file;
      file.close();
    } catch {
      // Whoever wants the file itself is told why it cannot be read.
    }
    return null;
  }

  private readOn(transfer: number, file: OpenFile, progress: { position: number; end: number; hash: Hash }): void {
    const { end, hash } = progress;
    const wanted = this.piece.subarray(0, Math.min(PIECE_BYTES, end - progress.position));
    if (wanted.length === 0 || this.isOver || !readWhole(file, wanted, progress.position)) {
      file.close();
      if (!this.isOver) this.answer(transfer, wanted.length === 0 ? hash.digest('base64') : null);
      return;
    }
    hash.update(wanted);
    progress.position += wanted.length;
    setImmediate(() => this.readOn(transfer, file, progress));
  }

  private answer(transfer: number, digest: string | null): void {
    this.context.send({ type: 'digest.computed', transfer, digest, buffer: null });
  }
}

/** False: a part of it is missing, or cannot be read. */
function readWhole(file: OpenFile, target: Uint8Array, position: number): boolean {
  try {
    return file.read(target, position) === target.length;
  } catch {
    // The same: there is no digest.
    return false;
  }
}
