/**
 * One whole file in main's memory. Whoever answers with its bytes holds it meanwhile: the memory is used again when it
 * was discarded and the last answer has ended, however slowly that one was read.
 */

import type { ContentStamp } from '../../shared/content-generations.ts';
import type { FileKey } from '../../shared/files.ts';
import type { Representation } from './representation.ts';

/** A file as a lane saw it. */
export interface SeenFile {
  readonly representation: Representation;
  readonly fileId: string;
  /** Taken before the lane was asked. */
  readonly stamp: ContentStamp;
}

export interface CachedFileOptions {
  readonly key: FileKey;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly seen: SeenFile;
  readonly seenMs: number;
  /** How often it was read within a second, before it was kept. */
  readonly reads: number;
  /** Nobody will ever need the bytes again. Called once. */
  readonly onUnused: (file: CachedFile) => void;
}

export class CachedFile {
  readonly key: FileKey;
  /** Valid for whoever holds the file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  private readonly onUnused: (file: CachedFile) => void;
  private seen: SeenFile;
  /** When a lane looked at the file. */
  private lastSeenMs: number;
  private readsBefore: number;
  private reads = 0;
  private holders = 0;
  private isDiscarded = false;

  constructor({ key, bytes, seen, seenMs, reads, onUnused }: CachedFileOptions) {
    this.key = key;
    this.bytes = bytes;
    this.onUnused = onUnused;
    this.seen = seen;
    this.lastSeenMs = seenMs;
    this.readsBefore = reads;
  }

  get representation(): Representation {
    return this.seen.representation;
  }

  get fileId(): string {
    return this.seen.fileId;
  }

  get stamp(): ContentStamp {
    return this.seen.stamp;
  }

  get seenMs(): number {
    return this.lastSeenMs;
  }

  get isHeld(): boolean {
    return this.holders > 0;
  }

  /** How often it is read, as far as that can be told: since a lane looked at it, or in the period before. */
  get readsPerPeriod(): number {
    return Math.max(this.reads, this.readsBefore);
  }

  countRead(): void {
    this.reads += 1;
  }

  /** A lane has looked at the file again, and found the same content. */
  renew(seen: SeenFile, nowMs: number): void {
    this.seen = seen;
    this.lastSeenMs = nowMs;
    this.readsBefore = this.reads;
    this.reads = 0;
  }

  /** An answer needs the bytes; `release` follows once. */
  hold(): void {
    this.holders += 1;
  }

  release(): void {
    this.holders -= 1;
    this.tellUnused();
  }

  /** The file is answered from here no more. */
  discard(): void {
    this.isDiscarded = true;
    this.tellUnused();
  }

  private tellUnused(): void {
    if (this.isDiscarded && this.holders === 0) this.onUnused(this);
  }
}
