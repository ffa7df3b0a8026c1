/**
 * Tells every thread at once that the content under a path has changed, without a message: a table of counters in shared
 * memory, one for each hash value of a path. Whoever keeps a copy stamps it before reading, and trusts it for as long as
 * the stamp is current. Paths that share a counter cost each other a copy, never a wrong answer.
 */

import type { FileKey } from './files.ts';

/** A power of two: so many that a thousand changes a second disturb a given path about once a minute. */
const COUNTERS = 65_536;
/** FNV-1a, over UTF-16 code units. */
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** What the counter of a path was at one moment. */
export interface ContentStamp {
  readonly counter: number;
  readonly generation: number;
}

export class ContentGenerations {
  private readonly counters: Int32Array;

  /** `shared` comes from `allocate`. */
  constructor(shared: SharedArrayBuffer) {
    this.counters = new Int32Array(shared);
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(COUNTERS * Int32Array.BYTES_PER_ELEMENT);
  }

  /** To be taken before the content is read. */
  stamp(key: FileKey): ContentStamp {
    const counter = counterOf(key);
    return { counter, generation: Atomics.load(this.counters, counter) };
  }

  /** False when the content may have changed since the stamp was taken. */
  isCurrent({ counter, generation }: ContentStamp): boolean {
    return Atomics.load(this.counters, counter) === generation;
  }

  /** The path has another content now, or none. To be called before anybody is told so. */
  changed(key: FileKey): void {
    Atomics.add(this.counters, counterOf(key), 1);
  }
}

function counterOf(key: FileKey): number {
  let hash = FNV_OFFSET;
  for (let index = 0; index < key.length; index += 1) hash = Math.imul(hash ^ key.charCodeAt(index), FNV_PRIME);
  return (hash ^ (hash >>> 16)) & (COUNTERS - 1);
}
