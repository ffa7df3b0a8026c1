/**
 * Small files that many ask for at once, kept in main's memory: for them the hop to a lane is most of the work. An entry
 * answers for a second at most after a lane has read it; then a lane reads it again. It answers no longer than its stamp
 * is current: whatever replaces or removes a file says so to the generations.
 */

import type { ContentGenerations, ContentStamp } from '../../shared/content-generations.ts';
import type { FileKey } from '../../shared/files.ts';
import type { Representation } from './representation.ts';

export interface CachedFile {
  readonly representation: Representation;
  readonly fileId: string;
  readonly bytes: Uint8Array;
  /** Taken before a lane was asked for the file. */
  readonly stamp: ContentStamp;
}

export interface BodyCacheLimits {
  /** Of all bodies together. */
  readonly maxBytes: number;
  readonly maxBodyBytes: number;
  /** How long an entry answers after it was read. */
  readonly freshMs: number;
  /** A file is kept when it was read so often within `freshMs`. */
  readonly readsToKeep: number;
}

export const BODY_CACHE_LIMITS: Omit<BodyCacheLimits, 'maxBytes'> = {
  maxBodyBytes: 64 * 1024,
  freshMs: 1_000,
  readsToKeep: 8,
};

/** What an entry costs besides its body. */
const ENTRY_BYTES = 2_048;
const MAX_COUNTED = 4_096;

export class BodyCache {
  private readonly limits: BodyCacheLimits;
  private readonly generations: ContentGenerations;
  /** Least recently read first. */
  private readonly entries = new Map<FileKey, CachedFile & { readonly readMs: number }>();
  private readonly reads = new Map<FileKey, { count: number; readonly sinceMs: number }>();
  private bytes = 0;

  constructor(limits: BodyCacheLimits, generations: ContentGenerations) {
    this.limits = limits;
    this.generations = generations;
  }

  /** The file as a lane read it less than `freshMs` ago; null: ask a lane. */
  get(key: FileKey, nowMs: number): CachedFile | null {
    const entry = this.entries.get(key);
    if (entry === undefined || nowMs - entry.readMs >= this.limits.freshMs) return null;
    return this.generations.isCurrent(entry.stamp) ? entry : null;
  }

  /** Tells of a whole body that a lane has just read; `bytes` are copied if they are kept. */
  offer(key: FileKey, file: CachedFile, nowMs: number): void {
    const { maxBodyBytes, maxBytes } = this.limits;
    if (file.bytes.length > maxBodyBytes) return;
    const isKept = this.entries.has(key);
    this.drop(key);
    if (!isKept && !this.isHot(key, nowMs)) return;
    this.entries.set(key, { ...file, bytes: Uint8Array.from(file.bytes), readMs: nowMs });
    this.bytes += file.bytes.length + ENTRY_BYTES;
    for (const [oldest] of this.entries) {
      if (this.bytes <= maxBytes) break;
      this.drop(oldest);
    }
  }

  /** Lets go of what nobody has read for a while. Call it every few seconds. */
  trim(nowMs: number): void {
    for (const [key, { readMs }] of this.entries) if (nowMs - readMs >= this.limits.freshMs) this.drop(key);
    for (const [key, { sinceMs }] of this.reads) if (nowMs - sinceMs >= this.limits.freshMs) this.reads.delete(key);
  }

  private drop(key: FileKey): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.entries.delete(key);
    this.bytes -= entry.bytes.length + ENTRY_BYTES;
  }

  private isHot(key: FileKey, nowMs: number): boolean {
    const { freshMs, readsToKeep } = this.limits;
    const counted = this.reads.get(key);
    if (counted === undefined || nowMs - counted.sinceMs >= freshMs) {
      if (this.reads.size >= MAX_COUNTED) this.reads.clear();
      this.reads.set(key, { count: 1, sinceMs: nowMs });
      return readsToKeep <= 1;
    }
    counted.count += 1;
    return counted.count >= readsToKeep;
  }
}
