/**
 * The composition root: the one place where the parts are built and joined. What serves clients is the data plane; here
 * is what there is once in a process: the store's lock and health, the ports, the metrics.
 */

import type { UploadProtocol } from '../shared/events.ts';
import { ExpiryRule } from '../shared/expiry-rule.ts';
import { OwnerUsage } from '../shared/owner-usage.ts';
import { SecretIds } from '../shared/secret-ids.ts';
import { SharedCount } from '../shared/shared-count.ts';
import { SharedFlag } from '../shared/shared-flag.ts';
import { SteadyClock } from '../shared/steady-clock.ts';
import { TrafficCount } from '../shared/traffic-count.ts';
import { UnfinishedUploads } from '../shared/unfinished-uploads.ts';
import type { Config } from './config/config.ts';
import { noExpiryWarning } from './config/config-warnings.ts';
import type { EventDispatcher } from './events/event-dispatcher.ts';
import type { ServerLogger } from './events/logger.ts';
import { Metrics } from './events/metrics-subscriber.ts';
import { failureEvent } from './failure-event.ts';
import { forgetAddress, type Listening, listenOperator, listenPublic } from './front-end.ts';
import { Predecessor } from './handover/predecessor.ts';
import { Successor } from './handover/successor.ts';
import { TrustedProxies } from './http/client-address.ts';
import { JobPool } from './lanes/job-pool.ts';
import type { PoolStats } from './lanes/worker-pool.ts';
import { workerSettingsOf } from './lanes/worker-settings.ts';
import { createListeners } from './listeners/create-listeners.ts';
import type { Listeners } from './listeners/listeners.ts';
import { createOperatorRoutes, type Readiness } from './operator-routes.ts';
import { idsOfSecrets } from './secret-id.ts';
import { allocateSharedMemory, type OpenCounts, openCounts, type SharedMemory } from './shared-memory.ts';
import { readPageFiles } from './status/page-files.ts';
import { StatusBoard } from './status/status-board.ts';
import { createStatusPages } from './status/status-pages.ts';
import { StoreKeeper } from './store/store-keeper.ts';
import { SweepSchedule } from './store/sweep-schedule.ts';
import { tidyVersions } from './store/tidy-versions.ts';
import type { UwsModule } from './uws/load-uws.ts';
import { StalledReaders } from './uws/stalled-readers.ts';
import { UwsServer } from './uws/uws-server.ts';
import type { Webhooks } from './webhooks/webhooks.ts';

const LOOK_INTERVAL_MS = 1_000;
/** The operator's port serves a handful of scrapers. */
const MAX_OPERATOR_CONNECTIONS = 256;
/** Its requests are not told of. */
const NO_PROXIES = new TrustedProxies({ ranges: [], hasUnixSocket: false });

export interface AppDependencies {
  readonly config: Config;
  readonly version: string;
  readonly uws: UwsModule;
  readonly events: EventDispatcher;
  readonly logger: ServerLogger;
  /** null: off. */
  readonly webhooks: Webhooks | null;
}

/** Where the server can be reached. */
export interface Ports {
  readonly listen: Listening;
  readonly metrics: Listening | null;
}

export class App {
  private config: Config;
  private readonly dependencies: AppDependencies;
  private readonly jobs: JobPool;
  /** With `SharedPort`: who is to follow. */
  readonly successor: Successor;
  private readonly store: StoreKeeper;
  private readonly expiry: ExpiryRule;
  private readonly unfinishedUploads: UnfinishedUploads;
  private readonly secretIds: SecretIds;
  private readonly ownerUsage: OwnerUsage;
  private readonly sweeps: SweepSchedule;
  private readonly counts: OpenCounts;
  private readonly listeners: Listeners;
  private readonly metrics: Metrics;
  private readonly status: StatusBoard;
  private readonly operatorServer: UwsServer;
  private readonly listening: Listening[] = [];
  private state: 'starting' | 'ready' | 'stopping' = 'starting';
  private looker: NodeJS.Timeout | null = null;

  constructor(dependencies: AppDependencies) {
    const { config, events, logger, uws } = dependencies;
    this.dependencies = dependencies;
    this.config = config;
    const workerSettings = workerSettingsOf(config);
    this.unfinishedUploads = new UnfinishedUploads(workerSettings.unfinishedUploads);
    this.jobs = new JobPool({ settings: workerSettings, events });
    const memory = allocateSharedMemory(config.listeners);
    this.counts = openCounts(memory, 0);
    const degraded = new SharedFlag(memory.degraded);
    const { storeDir } = config;
    this.successor = new Successor(() => secretsOf(this.config));
    const doorkeeper = config.isPortShared ? this.successor : null;
    this.store = new StoreKeeper({ jobs: this.jobs, degraded, events, logger, storeDir, doorkeeper });
    const clock = new SteadyClock(workerSettings.clockStart);
    this.expiry = new ExpiryRule(workerSettings.expiry, clock);
    this.expiry.fileTtlSeconds = config.fileTtlSeconds;
    this.ownerUsage = new OwnerUsage(workerSettings.ownerUsage);
    this.ownerUsage.limitBytes = config.ownerQuotaBytes;
    this.secretIds = new SecretIds(workerSettings.secretIds);
    this.secretIds.all = idsOfSecrets(config);
    this.sweeps = this.buildSweeps(clock);
    const { health } = this.store;
    const name = process.pid.toString(36);
    this.listeners = createListeners({ uws, name, config, workerSettings, memory, events, health });
    this.metrics = this.buildMetrics();
    this.status = this.buildStatus(memory);
    this.operatorServer = this.buildOperatorServer();
  }

  /** Requests and uploads whose outcome is open. */
  get inFlight(): number {
    return Math.max(this.counts.requests.total, this.counts.uploads.total);
  }

  /** Of those, the ones that may change the store: not the downloads whose body is on its way. */
  get writing(): number {
    return Math.max(this.counts.requests.total - this.counts.streams.total, this.counts.uploads.total);
  }

  /** Connections on which nothing is asked for at this moment. */
  get idleConnections(): number {
    return this.counts.connections.total - this.counts.requests.total;
  }

  /**
   * Opens the store, then the ports; in the place of another server the other way round. Resolves to null when the app
   * was stopped meanwhile. Errors: StartError.
   */
  async start(): Promise<Ports | null> {
    const { config } = this;
    const predecessor = await this.openStore();
    const metrics = config.metrics === null ? null : await this.openOperatorPort(config.metrics);
    await this.listeners.start();
    if (predecessor !== null && !this.isStopping) await predecessor.ask();
    if (this.isStopping) return null;
    const listen = await listenPublic(this.listeners.port, config, predecessor !== null);
    this.listening.push(listen);
    if (predecessor !== null) {
      await predecessor.leaves();
      if (this.isStopping) return null;
      await this.store.open();
    }
    this.listeners.storeOpened();
    this.looker = setInterval(() => void this.store.look(), LOOK_INTERVAL_MS);
    this.state = 'ready';
    this.sweeps.sweepNow();
    this.warnOfFullDisk();
    return { listen, metrics };
  }

  /** What a new configuration changes while the server runs. Resolves when it is in effect. */
  async applyConfig(config: Config): Promise<void> {
    if (config.fileTtlSeconds !== this.expiry.fileTtlSeconds) {
      this.expiry.fileTtlSeconds = config.fileTtlSeconds;
      this.sweeps.sweepNow();
    }
    this.config = config;
    if (config.ownerQuotaBytes !== this.ownerUsage.limitBytes) {
      this.ownerUsage.limitBytes = config.ownerQuotaBytes;
      this.sweeps.sweepNow();
    }
    this.secretIds.all = idsOfSecrets(config);
    await this.listeners.applyConfig(config);
    this.dependencies.logger.setLevel(config.logLevel);
  }

  /** Connections are told to close with their next answer; new ones are taken. */
  drain(): void {
    this.listeners.drain();
  }

  /** Connections are kept again. */
  resume(): void {
    this.listeners.resume();
  }

  /** Takes no new connections; what runs goes on. */
  stopAccepting(): void {
    this.state = 'stopping';
    this.listeners.stopAccepting();
    // The successor has pages of its own.
    if (this.successor.isThere) this.operatorServer.stopListening();
  }

  /** Lets the successor have the store, while files that are open are read on. */
  async handOverStore(): Promise<void> {
    if (this.looker !== null) clearInterval(this.looker);
    this.sweeps.stop();
    await this.store.handOver();
  }

  /** Ends what still runs and frees everything. Of unfinished uploads what can be gone on with is kept. */
  async stop(): Promise<void> {
    this.state = 'stopping';
    if (this.looker !== null) clearInterval(this.looker);
    this.sweeps.stop();
    this.operatorServer.closeAll();
    await this.listeners.stop();
    await this.store.close();
    await this.jobs.stop();
    this.metrics.stop();
    this.status.stop();
    for (const listening of this.listening) forgetAddress(listening);
  }

  /** Lets go of all connections, so that the process may be ended at once. */
  async abandon(): Promise<void> {
    await this.listeners.abandon();
  }

  private get isStopping(): boolean {
    return this.state === 'stopping';
  }

  /** null: it is open. Otherwise who has it, and hands it over. Errors: StartError. */
  private async openStore(): Promise<Predecessor | null> {
    const { config, store } = this;
    const holder = await store.tryOpen();
    if (holder === null) return null;
    if (!config.isPortShared) throw store.inUse(holder);
    const predecessor = await Predecessor.find(holder, secretsOf(config));
    if (typeof predecessor === 'string') throw store.inUse(holder, `, ${predecessor}`);
    this.dependencies.logger.log('info', 'Taking over from another server', { predecessor: holder.text });
    return predecessor;
  }

  /** Nothing counts when nobody can look: events without a listener cost nothing. */
  private async openOperatorPort(metrics: NonNullable<Config['metrics']>): Promise<Listening> {
    const { isPortShared } = this.config;
    const listening = await listenOperator(this.operatorServer, { metrics, isPortShared });
    this.listening.push(listening);
    this.metrics.start();
    this.status.start();
    return listening;
  }

  private buildSweeps(clock: SteadyClock): SweepSchedule {
    const { jobs } = this;
    const { health } = this.store;
    const { events } = this.dependencies;
    return new SweepSchedule({ jobs, clock, health, events, tidy: () => this.tidyVersions() });
  }

  /** Files that never expire fill the disk: known only now that the store has been looked at. */
  private warnOfFullDisk(): void {
    const { space } = this.store;
    const warning = space === null ? null : noExpiryWarning(this.config, space.freeBytes, space.totalBytes);
    if (warning === null) return;
    this.dependencies.logger.log('warning', warning.message);
    this.config = { ...this.config, warnings: [...this.config.warnings, warning] };
  }

  private tidyVersions(): Promise<void> {
    const { jobs } = this;
    const { events } = this.dependencies;
    const keep = (): number | null => (this.config.enableVersioning ? this.config.maxVersions : null);
    const isOver = (): boolean => this.isStopping;
    return tidyVersions({ jobs, events, health: this.store.health, keep, isOver });
  }

  private readiness(): Readiness {
    if (this.state !== 'ready') return this.state;
    if (this.listeners.serving === 0) return 'starting';
    return this.store.health.isDegraded ? 'store degraded' : 'ready';
  }

  private buildMetrics(): Metrics {
    const { events, logger, version, webhooks } = this.dependencies;
    const sources = {
      isReady: () => this.readiness() === 'ready',
      requestsInFlight: () => this.counts.requests.total,
      openConnections: () => this.counts.connections.total,
      uploadsInFlight: (protocol: UploadProtocol) => this.counts.uploads.of(protocol),
      unfinishedUploads: () => this.unfinishedUploads.count,
      unfinishedUploadBytes: () => this.unfinishedUploads.bytes,
      poolStats: () => sumOf(this.listeners.poolStats, this.jobs.stats),
      storeFreeBytes: () => this.store.space?.freeBytes ?? null,
      isStoreDegraded: () => this.store.health.isDegraded,
      isExpirySuspended: () => this.sweeps.isSuspended,
      configWarnings: () => new Set(this.config.warnings.flatMap(({ reason }) => (reason === null ? [] : [reason]))),
      listenerLag: () => this.listeners.readLag(),
      webhooks: () => webhooks?.figures ?? { delivered: 0, failed: 0, dropped: 0, queued: 0 },
      droppedEvents: () => events.droppedEvents + this.listeners.droppedEvents,
      droppedLogLines: () => logger.droppedLines(),
    };
    return new Metrics({ events, sources, version, durability: this.config.durability });
  }

  private buildStatus(memory: SharedMemory): StatusBoard {
    const { events, version } = this.dependencies;
    const traffic = new TrafficCount(memory.traffic, 0);
    const sources = {
      state: () => this.readiness(),
      openConnections: () => this.counts.connections.total,
      requestsInFlight: () => this.counts.requests.total,
      uploadsInFlight: () => this.counts.uploads.total,
      traffic: () => traffic.total,
      poolStats: () => sumOf(this.listeners.poolStats, this.jobs.stats),
      isDegraded: () => this.store.health.isDegraded,
      space: () => this.store.space,
      listenerLag: () => this.listeners.latestLag,
    };
    return new StatusBoard({ events, sources, version });
  }

  private buildOperatorServer(): UwsServer {
    const { uws, events, config } = this.dependencies;
    const onError = (error: unknown): void => events.publish(failureEvent('internal', error, false));
    const readiness = (): Readiness => this.readiness();
    const files = config.metrics === null ? new Map() : readPageFiles();
    const pages = createStatusPages({ files, board: this.status });
    const handle = createOperatorRoutes({ metrics: this.metrics, readiness, pages, onError });
    return new UwsServer({
      uws,
      name: 'operator',
      certificate: null,
      connections: new SharedCount(SharedCount.allocate(1), 0),
      maxConnections: MAX_OPERATOR_CONNECTIONS,
      requests: new SharedCount(SharedCount.allocate(1), 0),
      streams: new SharedCount(SharedCount.allocate(1), 0),
      readers: new StalledReaders(StalledReaders.allocate(1), 0, () => {}),
      proxies: () => NO_PROXIES,
      handle,
      onError,
    });
  }
}

function sumOf(a: PoolStats, b: PoolStats): PoolStats {
  return { workers: a.workers + b.workers, busy: a.busy + b.busy, queued: a.queued + b.queued };
}

/** Those of the other server may be among them, or the other way round. */
function secretsOf({ secret, previousSecrets }: Config): readonly string[] {
  return [secret, ...previousSecrets];
}
