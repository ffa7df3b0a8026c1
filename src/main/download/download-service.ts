/**
 * GET and HEAD of stored files: those that many ask for from memory, unless they are large, all others by way of a lane, or
 * of a proxy that reads the store itself.
 */

import type { BufferPool } from '../../shared/buffers.ts';
import type { ContentGenerations } from '../../shared/content-generations.ts';
import type { EventPublisher } from '../../shared/events.ts';
import type { FileKey } from '../../shared/files.ts';
import type { Exchange } from '../http/exchange.ts';
import { firstValue } from '../http/fields.ts';
import { firstRangeOffset } from '../http/range.ts';
import type { LaneClient } from '../lanes/lane-client.ts';
import type { WorkerPool } from '../lanes/worker-pool.ts';
import { RedirectedDownload } from './accel-redirect.ts';
import { BODY_CACHE_LIMITS, BodyCache } from './body-cache.ts';
import { BodyCollector } from './body-collector.ts';
import type { CachedFile } from './cached-file.ts';
import { ContentDigests } from './content-digests.ts';
import { DigestLookup } from './digest-lookup.ts';
import { type FoundDigests, readDigestWish, withDigests } from './digest-wish.ts';
import { planDownload } from './download-plan.ts';
import { DownloadReport } from './download-report.ts';
import { type DownloadStream, WANTED_BUFFER_MS } from './download-stream.ts';
import { bytesOf, LaneDownload, planContext, type Refuse } from './lane-download.ts';
import type { RepresentationRules } from './representation.ts';
import { streamBytes } from './stream-bytes.ts';

/** Asked for when there is no large buffer to be had. */
const FIRST_BYTES = 64 * 1024;

export interface DownloadServiceOptions {
  readonly pool: WorkerPool;
  readonly buffers: BufferPool;
  readonly events: EventPublisher;
  readonly rules: RepresentationRules;
  readonly generations: ContentGenerations;
  /** Where a proxy finds the store, for files that it sends itself; null: it sends none. */
  readonly accelRedirectPrefix: string | null;
  /** Bound on the bodies that are kept in memory. */
  readonly cacheBytes: number;
}

/** One request for a file. */
interface Download {
  readonly exchange: Exchange;
  readonly key: FileKey;
  readonly refuse: Refuse;
  /** null: the answer has no digests. */
  readonly found: FoundDigests | null;
}

export class DownloadService {
  private readonly options: DownloadServiceOptions;
  private readonly streams = new Set<DownloadStream>();
  private readonly cache: BodyCache;
  private readonly collector: BodyCollector;
  private readonly digests: ContentDigests;
  private isReclaiming = false;

  constructor(options: DownloadServiceOptions) {
    this.options = options;
    options.buffers.watchShortage(() => this.reclaimSoon());
    this.cache = new BodyCache({ ...BODY_CACHE_LIMITS, maxBytes: options.cacheBytes }, options.generations);
    const lane = (): LaneClient => options.pool.downloadLane();
    this.collector = new BodyCollector({ ...options, cache: this.cache, lane });
    this.digests = new ContentDigests(lane);
  }

  /** Serves the file in answer to a GET or HEAD. */
  serve(exchange: Exchange, key: FileKey, refuse: Refuse): void {
    const { accelRedirectPrefix: prefix } = this.options;
    if (prefix !== null && exchange.isThroughProxy) this.redirect(exchange, key, refuse, prefix);
    else this.serveBytes(exchange, key, refuse);
  }

  /** Called about once a second: takes buffers from clients that do not read. */
  tick(nowMs: number): void {
    this.relaxStreams(nowMs);
    this.cache.trim(nowMs);
  }

  private relaxStreams(nowMs: number): void {
    for (const stream of this.streams) stream.relax(nowMs);
  }

  /** Somebody waits for a buffer: whoever does not read must not keep one until the next tick. */
  private reclaimSoon(): void {
    if (this.isReclaiming) return;
    this.isReclaiming = true;
    setTimeout(() => {
      this.isReclaiming = false;
      this.relaxStreams(performance.now());
      if (this.options.buffers.isShort) this.reclaimSoon();
    }, WANTED_BUFFER_MS).unref();
  }

  private redirect(exchange: Exchange, key: FileKey, refuse: Refuse, prefix: string): void {
    const { events, rules, pool } = this.options;
    const lane = pool.downloadLane();
    const serveOurselves = (): void => this.serveBytes(exchange, key, refuse);
    new RedirectedDownload({ events, rules, lane, exchange, key, prefix, refuse, serveOurselves }).open();
  }

  private serveBytes(exchange: Exchange, key: FileKey, refuse: Refuse): void {
    const { head } = exchange;
    const wish = readDigestWish(head.fields);
    if (wish === null) {
      this.answer({ exchange, key, refuse, found: null });
      return;
    }
    const { pool, rules } = this.options;
    const { digests } = this;
    const onFound = (found: FoundDigests | null): void => this.answer({ exchange, key, refuse, found });
    new DigestLookup({ lane: pool.downloadLane(), digests, rules, head, key, wish, onFound }).start();
  }

  private answer(download: Download): void {
    const { exchange, key } = download;
    // The client may have left while digests were looked for.
    if (exchange.state !== 'open') return;
    const cached = this.cache.get(key, performance.now());
    if (cached !== null) this.serveCached(download, cached);
    else if (exchange.head.method === 'HEAD') this.open(download, null);
    else if (!this.awaitBody(download)) this.openWithBuffer(download);
  }

  /** True: many ask for the file, and the answer is made when a lane has been asked on behalf of all. */
  private awaitBody(download: Download): boolean {
    const { exchange, key } = download;
    let isWaiting = true;
    const isAwaited = this.collector.join(key, () => {
      isWaiting = false;
      if (exchange.state !== 'open') return;
      const cached = this.cache.get(key, performance.now());
      if (cached !== null) this.serveCached(download, cached);
      else this.openWithBuffer(download);
    });
    if (!isAwaited) return false;
    exchange.onGone((reason) => {
      if (isWaiting) new DownloadReport(exchange, this.options.events).aborted(reason);
    });
    return true;
  }

  /** A small buffer is better than waiting behind those that read slowly: most files are no longer. */
  private openWithBuffer(download: Download): void {
    const { buffers } = this.options;
    const buffer = (buffers.isShort ? null : buffers.take()) ?? buffers.take(FIRST_BYTES);
    if (buffer !== null) this.open(download, buffer);
    else buffers.whenAvailable((awaited) => this.open(download, awaited));
  }

  private open(download: Download, buffer: ArrayBuffer | null): void {
    const { options, streams, cache } = this;
    const { exchange } = download;
    if (exchange.state !== 'open') {
      if (buffer !== null) options.buffers.give(buffer);
      return;
    }
    const lane = options.pool.downloadLane();
    const offset = options.rules.hasRanges ? firstRangeOffset(firstValue(exchange.head.fields, 'range')) : 0;
    new LaneDownload({ ...options, ...download, lane, streams, cache }).open(offset, buffer);
  }

  private serveCached({ exchange, refuse, found }: Download, file: CachedFile): void {
    const { events, rules } = this.options;
    const { representation, fileId, bytes } = file;
    const report = new DownloadReport(exchange, events);
    report.fileId = fileId;
    const plan = withDigests(planDownload(exchange.head, representation, planContext(rules)), representation, found);
    if (plan.kind === 'problem') {
      report.refused(plan.problem.status);
      refuse(plan.problem, null);
      return;
    }
    file.hold();
    exchange.onAnswered(() => {
      file.release();
      report.completed();
    });
    exchange.onGone((reason) => {
      file.release();
      report.aborted(reason);
    });
    if (plan.kind === 'head') exchange.respondHead(plan.head);
    else
      streamBytes(
        exchange,
        plan.head,
        plan.segments.map((segment) => bytesOf(segment, bytes, 0)),
      );
  }
}
