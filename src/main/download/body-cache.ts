/**
 * Files that many ask for at once, kept in main's memory: they cross no thread, and for small ones the hop to a lane is
 * most of the work. A file is answered for a second after a lane has looked at it, and no longer than its stamp is
 * current: whatever replaces or removes a file says so to the generations. Memory counts from before a body is read into
 * it until nobody sends it any more, so that readers that stall cannot hold more than the bound.
 */

import { freeBuffers } from '../../shared/buffers.ts';
import type { ContentGenerations } from '../../shared/content-generations.ts';
import type { FileKey } from '../../shared/files.ts';
import { CachedFile, type SeenFile } from './cached-file.ts';
import { ReadCounts } from './read-counts.ts';

/** Memory that is promised to a body, which a lane is to read. */
export interface BodyPlace {
  readonly key: FileKey;
  readonly bytes: number;
  /** Reads within a second that made the file worth it. */
  readonly reads: number;
}

export interface BodyCacheLimits {
  /** Of all bodies together. */
  readonly maxBytes: number;
  readonly maxBodyBytes: number;
  /** How long an entry answers after a lane has looked at its file. */
  readonly freshMs: number;
  /** A file is kept when it was read so often within `freshMs`. */
  readonly readsToKeep: number;
}

export const BODY_CACHE_LIMITS: Omit<BodyCacheLimits, 'maxBytes'> = {
  maxBodyBytes: 2 * 1024 * 1024,
  freshMs: 1_000,
  readsToKeep: 4,
};

/** What an entry costs besides its body. */
const ENTRY_BYTES = 2_048;
/** An entry that is asked for again has been so before this has passed since it ceased to answer. */
const IDLE_MS = 250;
/** What a hop to a lane costs, in bytes that could be sent instead: it makes small bodies worth more for their memory. */
const HOP_BYTES = 64 * 1024;
/** A newcomer is worth so many times what it pushes out: files that are read alike do not push each other. */
const LEAD = 2;
/** Among so many it looks for those that it may push out. */
const MAX_CANDIDATES = 64;
/** Longer bodies are freed at once; the garbage collector is in no hurry. */
const COLLECTED_BYTES = 64 * 1024;

export class BodyCache {
  private readonly limits: BodyCacheLimits;
  private readonly generations: ContentGenerations;
  /** Those that were looked at longest ago come first. */
  private readonly entries = new Map<FileKey, CachedFile>();
  private readonly counts: ReadCounts;
  private usedBytes = 0;

  constructor(limits: BodyCacheLimits, generations: ContentGenerations) {
    this.limits = limits;
    this.generations = generations;
    this.counts = new ReadCounts(limits.freshMs);
  }

  /** Memory that is kept, promised, or still being sent. */
  get heldBytes(): number {
    return this.usedBytes;
  }

  /** The file as it was less than `freshMs` ago; null: ask a lane. */
  get(key: FileKey, nowMs: number): CachedFile | null {
    const entry = this.entries.get(key);
    if (entry === undefined || !this.isFresh(entry, nowMs) || !this.generations.isCurrent(entry.stamp)) return null;
    entry.countRead();
    return entry;
  }

  /** The file is in memory, and answers again if a lane finds that it has not changed. */
  isToBeRenewed(key: FileKey): boolean {
    const entry = this.entries.get(key);
    if (entry === undefined) return false;
    if (this.generations.isCurrent(entry.stamp)) return true;
    this.drop(entry);
    return false;
  }

  /** A lane has looked at a file that is to be renewed; null: it cannot be read. */
  renew(key: FileKey, seen: SeenFile | null, nowMs: number): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    const { validators } = entry.representation;
    if (seen === null || seen.representation.validators.etag !== validators.etag) {
      this.drop(entry);
      return;
    }
    entry.renew(seen, nowMs);
    this.entries.delete(key);
    this.entries.set(key, entry);
  }

  /** A lane has read the beginning of a file for somebody who wants all of it. */
  countRead(key: FileKey, bodyBytes: number, nowMs: number): void {
    if (bodyBytes <= this.limits.maxBodyBytes) this.counts.add(key, bodyBytes, nowMs);
  }

  /** Memory for a file that many ask for; `keep` or `giveUp` follows. null: it is not worth it, or there is no room. */
  reserve(key: FileKey, nowMs: number): BodyPlace | null {
    const count = this.counts.current(key, nowMs);
    if (count === null || count.reads < this.limits.readsToKeep || this.entries.has(key)) return null;
    const { bytes, reads } = count;
    if (!this.makeRoom(bytes + ENTRY_BYTES, reads, nowMs)) return null;
    this.counts.forget(key);
    this.usedBytes += bytes + ENTRY_BYTES;
    return { key, bytes, reads };
  }

  /** The body is in the memory that was reserved, which is the cache's from now on. */
  keep(
    { key, bytes: reserved, reads }: BodyPlace,
    bytes: Uint8Array<ArrayBuffer>,
    seen: SeenFile,
    nowMs: number,
  ): void {
    const onUnused = (file: CachedFile): void => {
      this.usedBytes -= reserved + ENTRY_BYTES;
      if (file.bytes.buffer.byteLength > COLLECTED_BYTES) freeBuffers([file.bytes.buffer]);
    };
    this.entries.set(key, new CachedFile({ key, bytes, seen, seenMs: nowMs, reads, onUnused }));
  }

  /** There was no body to be read into the memory that was reserved. */
  giveUp({ bytes }: BodyPlace): void {
    this.usedBytes -= bytes + ENTRY_BYTES;
  }

  /** Lets go of what nobody has read for a while. Call it every few seconds. */
  trim(nowMs: number): void {
    for (const entry of this.entries.values()) if (this.isIdle(entry, nowMs)) this.drop(entry);
    this.counts.trim(nowMs);
  }

  private isFresh({ seenMs }: CachedFile, nowMs: number): boolean {
    return nowMs - seenMs < this.limits.freshMs;
  }

  private isIdle({ seenMs }: CachedFile, nowMs: number): boolean {
    return nowMs - seenMs >= this.limits.freshMs + IDLE_MS;
  }

  private drop(entry: CachedFile): void {
    this.entries.delete(entry.key);
    entry.discard();
  }

  /** Pushes out what is worth less. Answers of which the client takes its time keep their memory, so those stay. */
  private makeRoom(bytes: number, reads: number, nowMs: number): boolean {
    const missing = this.usedBytes + bytes - this.limits.maxBytes;
    const maxWorth = worth(bytes, reads) / LEAD;
    const victims: CachedFile[] = [];
    let freed = 0;
    let candidates = 0;
    for (const entry of this.entries.values()) {
      if (freed >= missing || candidates === MAX_CANDIDATES) break;
      candidates += 1;
      const entryBytes = entry.bytes.buffer.byteLength + ENTRY_BYTES;
      const isWorthMore = !this.isIdle(entry, nowMs) && worth(entryBytes, entry.readsPerPeriod) > maxWorth;
      if (entry.isHeld || isWorthMore) continue;
      victims.push(entry);
      freed += entryBytes;
    }
    if (freed < missing) return false;
    for (const victim of victims) this.drop(victim);
    return true;
  }
}

/** What keeping a file saves, for each byte that it takes. */
function worth(bytes: number, reads: number): number {
  return reads * (1 + HOP_BYTES / bytes);
}
