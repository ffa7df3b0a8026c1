/** Entry of a load thread: prepares, warms up, measures, checks and cleans, each when the main thread says so. */

import { parentPort, workerData } from 'node:worker_threads';
import { nowMs } from '../clock.ts';
import { deleteTarget } from '../endpoint.ts';
import { Payload } from '../payload.ts';
import { type Load, largestSize, readsFiles } from '../scenario.ts';
import type { ConnectionSettings } from './connection.ts';
import type { UploadSeries } from './conversation.ts';
import type { OutgoingRequest } from './exchange.ts';
import { beatOf, type LoadPart, makeLoadPart } from './load-part.ts';
import { startMetronome } from './metronome.ts';
import { filesBySize, learnFile, seedFiles, uploadedFiles } from './readable-files.ts';
import { type ReadableFile, RequestFactory, readBack, uploadedFile } from './requests.ts';
import { sendAll } from './send-all.ts';
import type { FromThread, ThreadPlan, ToThread } from './thread-messages.ts';
import { readThreadUsage } from './thread-usage.ts';

const READ_BUFFER_BYTES = 512 * 1024;
const INTERVAL_MS = 250;
const WARM_UP_SIZE = 4 * 1024 ** 2;
const WARM_UP_DRAIN_MS = 2000;
const SEED_WIDTH = 2;
const DELETE_WIDTH = 4;

class LoadThread {
  private readonly plan: ThreadPlan;
  private readonly say: (message: FromThread) => void;
  private readonly payload = new Payload();
  private readonly readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  private readonly factory: RequestFactory;
  /** For everything that is not measured. */
  private readonly connection: ConnectionSettings;
  /** Uploads of the warm-up and of the measurement. */
  private readonly uploads: UploadSeries[] = [];
  private readable: readonly ReadableFile[] = [];
  private part: LoadPart | null = null;

  constructor(plan: ThreadPlan, say: (message: FromThread) => void) {
    this.plan = plan;
    this.say = say;
    this.factory = new RequestFactory(plan.endpoint, false);
    this.connection = {
      endpoint: plan.endpoint,
      payload: this.payload,
      readBuffer: this.readBuffer,
      bytesPerSecond: null,
      isChurning: false,
      timeoutMs: 60e3,
      countBytes: () => 0,
    };
  }

  async obey(message: ToThread): Promise<void> {
    switch (message.type) {
      case 'prepare':
        return this.prepare();
      case 'warm-up':
        return this.warmUp(message.durationMs);
      case 'measure':
        return this.measure(message.startMs, message.endMs);
      case 'end':
        return this.end(message.endMs, message.drainMs);
      case 'read-back':
        return this.readBack();
      case 'clean':
        return this.clean();
      default:
        message satisfies never;
    }
  }

  private async prepare(): Promise<void> {
    const { load } = this.plan;
    if (readsFiles(load)) this.readable = await this.makeReadable();
    this.part = this.makePart(load, 'measure');
    this.say({ type: 'prepared' });
  }

  private async makeReadable(): Promise<ReadableFile[]> {
    const { endpoint, load, loadIndex, runId, threads, threadIndex } = this.plan;
    const files = seedFiles(load, loadIndex, runId);
    switch (endpoint.objects) {
      case 'uploaded': {
        const own = files.filter((_, number) => number % threads === threadIndex);
        await this.upload(own.map((file) => this.factory.put(file)));
        return uploadedFiles(endpoint, this.payload, files);
      }
      case 'by-size':
        return filesBySize(endpoint, this.payload, files);
      case 'fixed':
        return [await learnFile(this.connection, this.factory)];
    }
  }

  private async upload(requests: readonly OutgoingRequest[]): Promise<void> {
    const { errors } = await sendAll(this.connection, requests, SEED_WIDTH);
    const [kind] = Object.keys(errors);
    if (kind !== undefined) throw new Error(`cannot upload the files to read: ${kind}`);
  }

  private makePart(load: Load, phase: 'warm-up' | 'measure'): LoadPart {
    const part = makeLoadPart({
      plan: this.plan,
      load,
      phase,
      payload: this.payload,
      readBuffer: this.readBuffer,
      files: this.readable,
    });
    if (part.series !== null) this.uploads.push(part.series);
    return part;
  }

  /** The same load for a short time, in a closed loop and with smaller uploads. What it sees is thrown away. */
  private async warmUp(durationMs: number): Promise<void> {
    const { load } = this.plan;
    if (load.bytesPerSecond === null) {
      const isSmall = largestSize(load.sizes) <= WARM_UP_SIZE || readsFiles(load);
      const sizes: Load['sizes'] = isSmall
        ? load.sizes
        : [{ minBytes: WARM_UP_SIZE, maxBytes: WARM_UP_SIZE, weight: 1 }];
      const { loop, start, finished } = this.makePart(
        { ...load, sizes, maxRequests: null, ratePerSecond: null },
        'warm-up',
      );
      const endMs = nowMs() + durationMs;
      start(nowMs(), endMs);
      const ender = setTimeout(() => loop.end(endMs), durationMs);
      const closer = setTimeout(() => loop.close(), durationMs + WARM_UP_DRAIN_MS);
      await finished;
      clearTimeout(ender);
      clearTimeout(closer);
    }
    this.say({ type: 'warmed-up' });
  }

  private measure(startMs: number, endMs: number): void {
    const part = this.part;
    if (part === null) return;
    part.loop.open();
    setTimeout(() => void this.run(part, startMs, endMs), Math.max(0, startMs - nowMs()));
  }

  private async run(part: LoadPart, startMs: number, endMs: number): Promise<void> {
    const { loop } = part;
    this.report(part);
    const sweep = setInterval(() => {
      loop.checkTimeouts();
      this.report(part);
    }, INTERVAL_MS);
    const beat = beatOf(this.plan.load, this.plan, startMs);
    const stopBeat = beat === null ? null : startMetronome(beat, () => loop.pump());
    part.start(startMs, endMs);
    await part.finished;
    clearInterval(sweep);
    stopBeat?.();
    this.report(part);
    this.say({ type: 'drained', lastMs: loop.lastMs });
  }

  private report({ loop }: LoadPart): void {
    this.say({ type: 'interval', interval: loop.takeInterval(), usage: readThreadUsage() });
  }

  private end(endMs: number, drainMs: number): void {
    const part = this.part;
    if (part === null) return;
    part.loop.end(endMs);
    const closer = setTimeout(() => part.loop.giveUp(), Math.max(0, endMs - nowMs()) + drainMs);
    void part.finished.then(() => clearTimeout(closer));
  }

  private async readBack(): Promise<void> {
    const requests = this.uploads
      .flatMap((series) => series.sample())
      .map((file) => readBack(this.factory, uploadedFile(this.plan.endpoint, this.payload, file)));
    const result = await sendAll(this.connection, requests, 1);
    this.say({ type: 'read-back-done', ...result });
  }

  private async clean(): Promise<void> {
    const paths = [...this.uploadedPaths(), ...this.seededPaths()];
    const requests = paths.flatMap((path) => {
      const target = deleteTarget(this.plan.endpoint, path);
      return target === null ? [] : [this.factory.delete(target)];
    });
    const { sent, errors } = await sendAll(this.connection, requests, DELETE_WIDTH);
    const failed = Object.values(errors).reduce((sum, count) => sum + count, 0);
    this.say({ type: 'cleaned', deleted: sent - failed, left: paths.length - sent + failed });
  }

  private uploadedPaths(): string[] {
    return this.uploads.flatMap((series) =>
      Array.from({ length: series.begun }, (_, number) => series.file(number).path),
    );
  }

  /** The first thread of the load deletes the files to read, for all. */
  private seededPaths(): string[] {
    const { endpoint, load, loadIndex, runId, threadIndex } = this.plan;
    if (endpoint.objects !== 'uploaded' || threadIndex > 0 || !readsFiles(load)) return [];
    return seedFiles(load, loadIndex, runId).map(({ path }) => path);
  }
}

const thread = new LoadThread(workerData as ThreadPlan, (message) => parentPort?.postMessage(message));
parentPort?.on('message', (message: ToThread) => {
  thread.obey(message).catch((error: unknown) => {
    const text = error instanceof Error ? error.message : String(error);
    parentPort?.postMessage({ type: 'failed', message: text } satisfies FromThread);
  });
});
