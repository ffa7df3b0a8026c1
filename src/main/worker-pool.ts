/**
 * The typed face of Piscina: lanes for transfers and one thread for short jobs. A lane whose thread dies fails its own
 * transfers and is started anew; nothing else notices. Nobody else imports Piscina.
 */

import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { BufferPool } from '../shared/buffers.ts';
import type { EventPublisher } from '../shared/events.ts';
import type { JobResults, Secrets, WorkerAnswer, WorkerSettings } from '../shared/messages.ts';
import type { StorageFailure } from '../shared/storage-error.ts';
import { LaneClient } from './lane-client.ts';

/** Threads of short jobs beside the lanes. */
const JOB_THREADS = 1;
/** A lane that dies at once is not restarted in a tight loop. */
const RESTART_DELAY_MS = 100;
/** Workers hold little but native memory: a small young generation keeps their garbage small. */
const YOUNG_GENERATION_MB = 8;

const workerFile = new URL('../workers/index.js', import.meta.url).href;

/** A short job that failed; carries what the worker said. */
export class JobError extends Error {
  override readonly name = 'JobError';
  readonly failure: StorageFailure;

  constructor(failure: StorageFailure) {
    super(failure.detail);
    this.failure = failure;
  }
}

export interface WorkerPoolOptions {
  readonly uploadLanes: number;
  readonly downloadLanes: number;
  readonly secrets: Secrets;
  readonly settings: Omit<WorkerSettings, 'promisedBytes'>;
  /** What bodies travel in, each way from a bounded pool of its own: reading goes on while writing is stuck. */
  readonly uploadBuffers: BufferPool;
  readonly downloadBuffers: BufferPool;
  readonly events: EventPublisher;
}

/** Figures for the metrics, taken at one moment. */
export interface PoolStats {
  readonly workers: number;
  /** Lanes with at least one transfer, and running jobs. */
  readonly busy: number;
  /** Buffers sent to lanes and not yet back, and waiting jobs. */
  readonly queued: number;
}

/** Where a lane belongs, also after it was started anew. */
interface LanePlace {
  readonly lanes: LaneClient[];
  readonly index: number;
  /** Unique among all lanes. */
  readonly place: number;
  readonly name: string;
  readonly buffers: BufferPool;
}

export class WorkerPool {
  private readonly options: WorkerPoolOptions;
  private readonly pool: Piscina;
  private readonly promisedBytes: BigInt64Array;
  private readonly uploadLanes: LaneClient[] = [];
  private readonly downloadLanes: LaneClient[] = [];
  private readonly running = new Set<Promise<unknown>>();
  private secrets: Secrets;
  private runningJobs = 0;
  private isStopping = false;

  constructor(options: WorkerPoolOptions) {
    this.options = options;
    this.secrets = options.secrets;
    const lanes = options.uploadLanes + options.downloadLanes;
    const threads = lanes + JOB_THREADS;
    const promisedBytes = new SharedArrayBuffer(lanes * BigInt64Array.BYTES_PER_ELEMENT);
    this.promisedBytes = new BigInt64Array(promisedBytes);
    this.pool = new Piscina({
      filename: workerFile,
      name: 'runJob',
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      atomics: 'disabled',
      recordTiming: false,
      execArgv: workerArguments(),
      workerData: { ...options.settings, promisedBytes },
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    this.pool.on('error', (error: Error) => this.reportCrash('job', error, 0));
  }

  /** Starts the lanes. The store must have been prepared. */
  startLanes(): void {
    const { uploadLanes, downloadLanes, uploadBuffers, downloadBuffers } = this.options;
    for (let index = 0; index < uploadLanes; index += 1) {
      this.startLane({ lanes: this.uploadLanes, index, place: index, name: `upload-${index}`, buffers: uploadBuffers });
    }
    for (let index = 0; index < downloadLanes; index += 1) {
      const place = uploadLanes + index;
      this.startLane({ lanes: this.downloadLanes, index, place, name: `download-${index}`, buffers: downloadBuffers });
    }
  }

  /** Runs a short job. Throws a JobError with the worker's own words. */
  async runJob<T extends keyof JobResults>(task: T): Promise<JobResults[T]> {
    this.runningJobs += 1;
    try {
      const answer: WorkerAnswer = await this.pool.run({ task });
      if (!answer.isDone) throw new JobError(answer.failure);
      // The worker answers each task with its own result: `workers/index.ts` is checked against the same table.
      return answer.value as JobResults[T];
    } finally {
      this.runningJobs -= 1;
    }
  }

  /** The lane for a new upload: the one with the fewest buffers in flight, then the fewest transfers. */
  uploadLane(): LaneClient {
    return leastBusy(this.uploadLanes);
  }

  /** Takes the waiting acknowledgements of all upload lanes, inside a callback that would not let them through. */
  reapUploads(): void {
    for (const lane of this.uploadLanes) if (!lane.isLost) lane.reap();
  }

  downloadLane(): LaneClient {
    return leastBusy(this.downloadLanes);
  }

  setSecrets(secrets: Secrets): void {
    this.secrets = secrets;
    for (const lane of this.uploadLanes) lane.send({ type: 'secrets', secrets }, null);
  }

  get stats(): PoolStats {
    const lanes = [...this.uploadLanes, ...this.downloadLanes];
    const busyLanes = lanes.filter((lane) => lane.transfers > 0).length;
    const buffers = lanes.reduce((sum, lane) => sum + lane.buffersInFlight, 0);
    return {
      workers: this.pool.threads.length,
      busy: busyLanes + Math.min(this.runningJobs, JOB_THREADS),
      queued: buffers + Math.max(0, this.runningJobs - JOB_THREADS),
    };
  }

  /** Closes the lanes, which discard what is left in them, and ends the threads. */
  async stop(): Promise<void> {
    this.isStopping = true;
    for (const lane of [...this.uploadLanes, ...this.downloadLanes]) lane.close();
    await Promise.allSettled(this.running);
    await this.pool.destroy();
  }

  private startLane(lanePlace: LanePlace): void {
    const { place } = lanePlace;
    const { port1, port2 } = new MessageChannel();
    const lane = new LaneClient({ name: lanePlace.name, port: port1, buffers: lanePlace.buffers });
    lanePlace.lanes[lanePlace.index] = lane;
    // What the predecessor of a lane that is started anew had promised died with it.
    Atomics.store(this.promisedBytes, place, 0n);
    const job = { task: 'lane', port: port2, place, secrets: this.secrets } as const;
    const ended: Promise<void> = this.pool
      .run(job, { transferList: [port2] })
      .then(
        (answer: WorkerAnswer) => this.laneEnded(lane, answer.isDone ? null : answer.failure),
        (error: Error) => this.laneEnded(lane, { code: 'worker-lost', detail: error.message }),
      )
      .then(() => {
        this.running.delete(ended);
        if (!this.isStopping) setTimeout(() => this.restartLane(lanePlace), RESTART_DELAY_MS).unref();
      });
    this.running.add(ended);
  }

  private restartLane(place: LanePlace): void {
    if (!this.isStopping) this.startLane(place);
  }

  private laneEnded(lane: LaneClient, failure: StorageFailure | null): void {
    if (this.isStopping) return;
    const cause = failure ?? { code: 'worker-lost', detail: 'lane ended' };
    const transfers = lane.lost(cause);
    this.reportCrash(lane.name, new Error(cause.detail), transfers);
  }

  private reportCrash(lane: string, error: Error, transfers: number): void {
    this.options.events.publish({ type: 'worker.crashed', lane, code: error.message, transfers });
  }
}

/**
 * Piscina tries `require` before `import`. Newer versions of Node 20 load ES modules that way, synchronously, and abort
 * the process when the thread is ended meanwhile.
 */
function workerArguments(): string[] {
  const option = '--no-experimental-require-module';
  return process.allowedNodeEnvironmentFlags.has(option) ? [...process.execArgv, option] : process.execArgv;
}

function leastBusy(lanes: readonly LaneClient[]): LaneClient {
  const [first, ...others] = lanes;
  if (first === undefined) throw new Error('the lanes have not been started');
  return others.reduce((best, lane) => (busyness(lane) < busyness(best) ? lane : best), first);
}

function busyness(lane: LaneClient): number {
  if (lane.isLost) return Number.POSITIVE_INFINITY;
  return lane.buffersInFlight * 1_000_000 + lane.transfers;
}
