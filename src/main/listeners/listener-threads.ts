/**
 * The listeners of a server with `Listeners` above 1: one acceptor on the main thread, and threads that get its
 * connections in turn. A thread that dies of a bug takes its own connections with it and is started anew; the others do
 * not notice.
 */

import { freeLocksOf } from '../../shared/path-locks.ts';
import { freeHoldingsOf } from '../../shared/upload-holders.ts';
import type { WorkerSettings } from '../../shared/worker-jobs.ts';
import type { Config } from '../config/config.ts';
import type { EventDispatcher } from '../events/event-dispatcher.ts';
import { type LagReading, NO_LAG, worseLag } from '../events/event-loop-lag.ts';
import { failureEvent } from '../failure-event.ts';
import type { Port } from '../front-end.ts';
import type { PoolStats } from '../lanes/worker-pool.ts';
import type { PlaneShare } from '../plane-share.ts';
import { forgetCounts, type SharedMemory } from '../shared-memory.ts';
import { StartError } from '../start-error.ts';
import type { StoreHealth } from '../store/store-health.ts';
import type { UwsModule } from '../uws/load-uws.ts';
import { UwsAcceptor } from '../uws/uws-acceptor.ts';
import type { ListenerFigures, ToListener } from './listener-messages.ts';
import { type ListenerError, type ListenerOwner, ListenerThread } from './listener-thread.ts';
import type { Listeners } from './listeners.ts';

const RESTART_DELAY_MS = 100;
/** A listener that does not even start is tried again at this pace. */
const RETRY_DELAY_MS = 1_000;
const ABANDON_MS = 500;

export interface ListenerThreadsDependencies {
  readonly uws: UwsModule;
  /** Prefix of request ids, of this process. */
  readonly name: string;
  readonly config: Config;
  readonly shares: readonly PlaneShare[];
  readonly workerSettings: WorkerSettings;
  readonly memory: SharedMemory;
  readonly events: EventDispatcher;
  readonly health: StoreHealth;
}

/** A place among the listeners, and the thread that has it now. */
interface Place {
  readonly plane: number;
  readonly share: PlaneShare;
  thread: ListenerThread | null;
  figures: ListenerFigures | null;
  /** Event loop, since it was last asked for. */
  worstLag: LagReading;
  /** Events that the thread gave up, and those of its predecessors. */
  dropped: number;
  droppedBefore: number;
}

export class ListenerThreads implements Listeners {
  private readonly dependencies: ListenerThreadsDependencies;
  private readonly acceptor: UwsAcceptor;
  private readonly places: readonly Place[];
  private config: Config;
  private launches = 0;
  private isStoreOpen = false;
  private isStopping = false;

  constructor(dependencies: ListenerThreadsDependencies) {
    this.dependencies = dependencies;
    this.config = dependencies.config;
    this.acceptor = new UwsAcceptor(dependencies.uws, dependencies.config.tls !== null);
    this.places = dependencies.shares.map((share, plane) => ({
      plane,
      share,
      thread: null,
      figures: null,
      worstLag: NO_LAG,
      dropped: 0,
      droppedBefore: 0,
    }));
  }

  get port(): Port {
    return this.acceptor;
  }

  get serving(): number {
    return this.threads.filter(({ isServing }) => isServing).length;
  }

  get poolStats(): PoolStats {
    const sum = { workers: 0, busy: 0, queued: 0 };
    for (const { figures } of this.places) {
      sum.workers += figures?.pool.workers ?? 0;
      sum.busy += figures?.pool.busy ?? 0;
      sum.queued += figures?.pool.queued ?? 0;
    }
    return sum;
  }

  get droppedEvents(): number {
    return this.places.reduce((sum, { dropped, droppedBefore }) => sum + dropped + droppedBefore, 0);
  }

  async start(): Promise<void> {
    const { events } = this.dependencies;
    events.onInterestsChange(() => this.tellAll({ type: 'interests', interests: events.interests }));
    const launched = this.places.map((place) => this.launch(place));
    try {
      await Promise.all(launched.map(({ ready }) => ready));
    } catch (error) {
      // Whoever asked for the end meanwhile knows why.
      if (this.isStopping) return;
      const reason = error instanceof Error ? error.message : String(error);
      throw new StartError(`Listeners: a listener cannot start: ${reason}`, { cause: error });
    }
  }

  async applyConfig(config: Config): Promise<void> {
    this.config = config;
    await Promise.all(this.threads.map((thread) => thread.applyConfig(config)));
  }

  readLag(): LagReading {
    const worst = this.places.reduce((lag, place) => worseLag(lag, place.worstLag), NO_LAG);
    for (const place of this.places) place.worstLag = NO_LAG;
    return worst;
  }

  get latestLag(): LagReading {
    return this.places.reduce((lag, { figures }) => worseLag(lag, figures?.lag ?? NO_LAG), NO_LAG);
  }

  storeOpened(): void {
    this.isStoreOpen = true;
    this.tellAll({ type: 'store.opened' });
  }

  drain(): void {
    this.tellAll({ type: 'drain' });
  }

  resume(): void {
    this.tellAll({ type: 'resume' });
  }

  stopAccepting(): void {
    this.acceptor.stopListening();
    this.drain();
  }

  async stop(): Promise<void> {
    await this.endAll('stop');
  }

  async abandon(): Promise<void> {
    await Promise.race([this.endAll('abandon'), after(ABANDON_MS)]);
  }

  private get threads(): readonly ListenerThread[] {
    return this.places.flatMap(({ thread }) => (thread === null ? [] : [thread]));
  }

  private tellAll(message: ToListener): void {
    for (const thread of this.threads) thread.send(message);
  }

  private async endAll(how: 'stop' | 'abandon'): Promise<void> {
    this.isStopping = true;
    const { threads } = this;
    for (const thread of threads) thread.end(how);
    this.acceptor.close();
    await Promise.all(threads.map(({ ended }) => ended));
  }

  private launch(place: Place): ListenerThread {
    const { workerSettings, memory, events } = this.dependencies;
    const { plane, share } = place;
    const { config } = this;
    this.launches += 1;
    const name = `${this.dependencies.name}.${this.launches.toString(36)}`;
    const { interests } = events;
    const settings = { name, plane, config, share, workerSettings, memory, interests, isStoreOpen: this.isStoreOpen };
    const thread = new ListenerThread(settings, this.ownerOf(place));
    place.thread = thread;
    void thread.ended.then((cause) => this.threadEnded(place, cause));
    return thread;
  }

  private ownerOf(place: Place): ListenerOwner {
    const { events, health } = this.dependencies;
    return {
      attach: (server) => this.acceptor.add(server),
      detach: (server) => this.acceptor.remove(server),
      publish: (batch) => {
        for (const event of batch.events) events.publishAt(event, event.time);
        place.dropped = batch.dropped;
      },
      figures: (figures) => {
        place.figures = figures;
        place.worstLag = worseLag(place.worstLag, figures.lag);
      },
      storeFailed: (failure) => health.report(failure),
    };
  }

  private threadEnded(place: Place, cause: ListenerError | null): void {
    const hasServed = place.figures !== null;
    this.tidyUpAfter(place);
    if (cause === null) return;
    this.publishCrash(place, cause);
    setTimeout(() => this.replace(place), hasServed ? RESTART_DELAY_MS : RETRY_DELAY_MS).unref();
  }

  private replace(place: Place): void {
    if (!this.isStopping) this.launch(place);
  }

  /** What the thread counted and what its lanes held has died with it. */
  private tidyUpAfter(place: Place): void {
    const { memory, workerSettings } = this.dependencies;
    const { share } = place;
    place.thread = null;
    place.figures = null;
    place.droppedBefore += place.dropped;
    place.dropped = 0;
    forgetCounts(memory, place.plane);
    const lanes = share.uploadLanes + share.downloadLanes;
    for (let lane = share.firstPlace; lane < share.firstPlace + lanes; lane += 1) {
      freeLocksOf(workerSettings.pathLocks, lane);
      freeHoldingsOf(workerSettings.uploadHolders, lane);
    }
  }

  private publishCrash({ plane }: Place, cause: ListenerError): void {
    const { events } = this.dependencies;
    events.publish(failureEvent('listener', cause, false));
    const { message, transfers } = cause;
    events.publish({ type: 'worker.crashed', lane: `listener-${plane}`, code: message, transfers });
  }
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
