/**
 * The lanes of one data plane: threads that serve many transfers each. A lane whose thread dies fails its own transfers
 * and is started anew; nothing else notices.
 */

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { BufferPool } from '../../shared/buffers.ts';
import type { EventPublisher } from '../../shared/events.ts';
import type { Secrets } from '../../shared/messages.ts';
import { freeLocksOf } from '../../shared/path-locks.ts';
import { RoomLedger } from '../../shared/room-ledger.ts';
import type { StorageFailure } from '../../shared/storage-error.ts';
import { freeHoldingsOf } from '../../shared/upload-holders.ts';
import type { WorkerAnswer, WorkerSettings } from '../../shared/worker-jobs.ts';
import { LaneClient } from './lane-client.ts';
import { WorkerThreads } from './worker-threads.ts';

/** A lane that dies at once is not restarted in a tight loop. */
const RESTART_DELAY_MS = 100;

export interface WorkerPoolOptions {
  readonly uploadLanes: number;
  readonly downloadLanes: number;
  readonly secrets: Secrets;
  readonly settings: WorkerSettings;
  /** Where the places of these lanes begin, in the room ledger and among the holders of path locks. */
  readonly firstPlace: number;
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
  private readonly threads: WorkerThreads;
  private readonly uploadLanes: LaneClient[] = [];
  private readonly downloadLanes: LaneClient[] = [];
  /** Starts of lanes that are known and do not run yet. */
  private readonly waiting: (() => void)[] = [];
  private readonly running = new Set<Promise<unknown>>();
  private secrets: Secrets;
  private isStopping = false;

  constructor(options: WorkerPoolOptions) {
    this.options = options;
    this.secrets = options.secrets;
    this.threads = new WorkerThreads({
      purpose: 'lanes',
      threads: options.uploadLanes + options.downloadLanes,
      settings: options.settings,
      onError: (error) => this.reportCrash('lane', error, 0),
    });
  }

  /** Makes the lanes known: what is said to them waits until they are started. */
  openLanes(): void {
    const { uploadLanes, downloadLanes, firstPlace, uploadBuffers, downloadBuffers } = this.options;
    for (let index = 0; index < uploadLanes; index += 1) {
      const place = firstPlace + index;
      this.openLane({ lanes: this.uploadLanes, index, place, name: `upload-${index}`, buffers: uploadBuffers });
    }
    for (let index = 0; index < downloadLanes; index += 1) {
      const place = firstPlace + uploadLanes + index;
      this.openLane({ lanes: this.downloadLanes, index, place, name: `download-${index}`, buffers: downloadBuffers });
    }
  }

  /** Starts the lanes. The store must have been opened. */
  startLanes(): void {
    if (this.uploadLanes.length === 0) this.openLanes();
    for (const start of this.waiting.splice(0)) start();
  }

  /** How many lanes there are for uploads. */
  get uploadLaneCount(): number {
    return this.options.uploadLanes;
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

  /** Of both kinds, as they are at this moment. */
  get lanes(): readonly LaneClient[] {
    return [...this.uploadLanes, ...this.downloadLanes];
  }

  get stats(): PoolStats {
    const { lanes } = this;
    return {
      workers: this.threads.count,
      busy: lanes.filter((lane) => lane.transfers > 0).length,
      queued: lanes.reduce((sum, lane) => sum + lane.buffersInFlight, 0),
    };
  }

  /** Closes the lanes, which discard what is left in them, and ends the threads. */
  async stop(): Promise<void> {
    this.isStopping = true;
    for (const lane of this.lanes) lane.close();
    await Promise.allSettled(this.running);
    await this.threads.stop();
  }

  private openLane(lanePlace: LanePlace): void {
    const { place } = lanePlace;
    const { port1, port2 } = new MessageChannel();
    const lane = new LaneClient({ name: lanePlace.name, port: port1, buffers: lanePlace.buffers });
    lanePlace.lanes[lanePlace.index] = lane;
    // What the predecessor of a lane that is started anew had promised died with it.
    new RoomLedger(this.options.settings.roomLedger, place).forgetPromises();
    this.waiting.push(() => this.startLane(lanePlace, lane, port2));
  }

  private startLane(lanePlace: LanePlace, lane: LaneClient, port: MessagePort): void {
    const { place } = lanePlace;
    const job = { task: 'lane', port, place, secrets: this.secrets } as const;
    const ended: Promise<void> = this.threads
      .run(job, [port])
      .then(
        (answer: WorkerAnswer) => this.laneEnded(lane, answer.isDone ? null : answer.failure),
        (error: Error) => this.laneEnded(lane, { code: 'worker-lost', detail: error.message }),
      )
      .then(() => {
        const { pathLocks, uploadHolders } = this.options.settings;
        freeLocksOf(pathLocks, place);
        freeHoldingsOf(uploadHolders, place);
        this.running.delete(ended);
        if (!this.isStopping) setTimeout(() => this.restartLane(lanePlace), RESTART_DELAY_MS).unref();
      });
    this.running.add(ended);
  }

  private restartLane(place: LanePlace): void {
    if (this.isStopping) return;
    this.openLane(place);
    this.startLanes();
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

function leastBusy(lanes: readonly LaneClient[]): LaneClient {
  const [first, ...others] = lanes;
  if (first === undefined) throw new Error('the lanes have not been started');
  return others.reduce((best, lane) => (busyness(lane) < busyness(best) ? lane : best), first);
}

function busyness(lane: LaneClient): number {
  if (lane.isLost) return Number.POSITIVE_INFINITY;
  return lane.bytesInFlight * 1_000 + lane.transfers;
}
