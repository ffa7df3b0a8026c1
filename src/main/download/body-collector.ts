/**
 * Brings hot files into memory, and finds out whether those that are there are still what they were: one request to a
 * lane for all who ask meanwhile. Whoever asked goes on when that has come to an end, whatever came of it.
 */

import type { BufferPool } from '../../shared/buffers.ts';
import type { ContentGenerations, ContentStamp } from '../../shared/content-generations.ts';
import type { FileKey } from '../../shared/files.ts';
import type { LaneClient, TransferListener, TransferMessage } from '../lanes/lane-client.ts';
import { BODY_CACHE_LIMITS, type BodyCache, type BodyPlace } from './body-cache.ts';
import type { SeenFile } from './cached-file.ts';
import { type RepresentationRules, represent } from './representation.ts';

type Opened = Extract<TransferMessage, { type: 'download.opened' }>;

export interface BodyCollectorDependencies {
  readonly cache: BodyCache;
  readonly buffers: BufferPool;
  readonly generations: ContentGenerations;
  readonly rules: RepresentationRules;
  readonly lane: () => LaneClient;
}

export class BodyCollector {
  private readonly dependencies: BodyCollectorDependencies;
  /** All who ask for a file while a lane looks at it. */
  private readonly waiting = new Map<FileKey, (() => void)[]>();

  constructor(dependencies: BodyCollectorDependencies) {
    this.dependencies = dependencies;
  }

  /** Calls back when the file is in memory, or could not be brought there. False: it is not to be, and nobody calls. */
  join(key: FileKey, onEnd: () => void): boolean {
    const waiting = this.waiting.get(key);
    if (waiting !== undefined) {
      waiting.push(onEnd);
      return true;
    }
    const { cache } = this.dependencies;
    const isThere = cache.isToBeRenewed(key);
    const place = isThere ? null : cache.reserve(key, performance.now());
    if (!isThere && place === null) return false;
    this.waiting.set(key, [onEnd]);
    new Look({ ...this.dependencies, key, place, onEnd: () => this.ended(key) }).start();
    return true;
  }

  private ended(key: FileKey): void {
    const waiting = this.waiting.get(key) ?? [];
    this.waiting.delete(key);
    for (const onEnd of waiting) onEnd();
  }
}

interface LookDependencies extends BodyCollectorDependencies {
  readonly key: FileKey;
  /** Where the body is to go; null: it is in memory, and only the facts are wanted. */
  readonly place: BodyPlace | null;
  /** Called once. */
  readonly onEnd: () => void;
}

/** One look of a lane at one file. */
class Look implements TransferListener {
  private readonly context: LookDependencies;
  private readonly lane: LaneClient;
  private readonly transfer: number;
  private readonly stamp: ContentStamp;

  constructor(context: LookDependencies) {
    this.context = context;
    this.lane = context.lane();
    this.transfer = this.lane.begin(this);
    this.stamp = context.generations.stamp(context.key);
  }

  start(): void {
    const { key, place, buffers } = this.context;
    const { transfer } = this;
    const buffer = place === null ? null : buffers.allocateApart(place.bytes);
    this.lane.send({ type: 'download.open', transfer, key, offset: 0, buffer }, buffer);
  }

  receive(message: TransferMessage): void {
    const { transfer, lane } = this;
    lane.end(transfer);
    if (message.type === 'download.opened') {
      // The file has become longer than it was.
      if (message.isOpen) lane.send({ type: 'download.close', transfer }, null);
      this.found(message);
    } else if (message.type === 'download.failed') this.found(null);
    else throw new Error(`unexpected ${message.type} for a look at a file`);
    this.context.onEnd();
  }

  laneLost(): void {
    this.found(null);
    this.context.onEnd();
  }

  private found(opened: Opened | null): void {
    const { cache, key, place } = this.context;
    const seen = opened === null ? null : this.seen(opened);
    if (place === null) cache.renew(key, seen, performance.now());
    else if (opened === null || opened.buffer === null || opened.isOpen || seen === null) cache.giveUp(place);
    else cache.keep(place, new Uint8Array(opened.buffer, 0, opened.length), seen, performance.now());
  }

  /** null: what is about to expire is looked at each time. */
  private seen({ file, fileId, expiresMs }: Opened): SeenFile | null {
    if (expiresMs !== null && expiresMs - Date.now() <= BODY_CACHE_LIMITS.freshMs) return null;
    const { key, rules } = this.context;
    return { representation: represent(key, file, rules, expiresMs), fileId, stamp: this.stamp };
  }
}
