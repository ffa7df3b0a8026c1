/**
 * The composition root: the one place where the parts are built and joined. Main decides, workers do, and what happens
 * is told to the dispatcher.
 */

import { BufferPool } from '../shared/buffers.ts';
import type { FileKey } from '../shared/files.ts';
import type { Secrets, StoreSpace } from '../shared/messages.ts';
import type { UploadRules } from './auth/grant.ts';
import type { Config } from './config/config.ts';
import { DownloadService } from './download/download-service.ts';
import { servedType } from './download/representation.ts';
import type { EventDispatcher } from './events/event-dispatcher.ts';
import type { ServerLogger } from './events/logger.ts';
import { Metrics } from './events/metrics-subscriber.ts';
import { forgetAddress, type Listening, listenOperator, listenPublic } from './front-end.ts';
import { type InstanceLock, lockStore } from './instance-lock.ts';
import { createOperatorRoutes, type Readiness } from './operator-routes.ts';
import { Pipeline } from './pipeline.ts';
import { StartError } from './start-error.ts';
import { StoreHealth } from './store-health.ts';
import { createPlainPut } from './upload/plain-put.ts';
import { UploadService } from './upload/upload-service.ts';
import type { UwsModule } from './uws/load-uws.ts';
import { UwsServer } from './uws/uws-server.ts';
import { JobError, WorkerPool } from './worker-pool.ts';

/** What the transport delivers in one piece; storage is never given more at once than ChunkSize. */
const MAX_BUFFER_BYTES = 512 * 1024;
/** Bounds on the body bytes in memory, each way. */
const UPLOAD_MEMORY_BYTES = 192 * 1024 * 1024;
const DOWNLOAD_MEMORY_BYTES = 48 * 1024 * 1024;
const TICK_MS = 1_000;
const TRIM_TICKS = 5;
const SPACE_TICKS = 10;
/** The operator's port serves a handful of scrapers. */
const MAX_OPERATOR_CONNECTIONS = 256;

export interface AppDependencies {
  readonly config: Config;
  readonly version: string;
  readonly uws: UwsModule;
  readonly events: EventDispatcher;
  readonly logger: ServerLogger;
}

export class App {
  private config: Config;
  private uploadRules: UploadRules;
  private readonly dependencies: AppDependencies;
  private readonly uploadBuffers: BufferPool;
  private readonly downloadBuffers: BufferPool;
  private readonly pool: WorkerPool;
  private readonly health: StoreHealth;
  private readonly uploads: UploadService;
  private readonly downloads: DownloadService;
  private readonly metrics: Metrics;
  private readonly publicServer: UwsServer;
  private readonly operatorServer: UwsServer;
  private readonly listening: Listening[] = [];
  private lock: InstanceLock | null = null;
  private state: 'starting' | 'ready' | 'stopping' = 'starting';
  private space: StoreSpace | null = null;
  private ticker: NodeJS.Timeout | null = null;
  private ticks = 0;

  constructor(dependencies: AppDependencies) {
    const { config, events } = dependencies;
    this.dependencies = dependencies;
    this.config = config;
    this.uploadRules = rulesOf(config);
    const bufferBytes = Math.min(config.chunkBytes, MAX_BUFFER_BYTES);
    this.uploadBuffers = new BufferPool({ bufferBytes, maxBuffers: Math.floor(UPLOAD_MEMORY_BYTES / bufferBytes) });
    const maxBuffers = Math.floor(DOWNLOAD_MEMORY_BYTES / MAX_BUFFER_BYTES);
    this.downloadBuffers = new BufferPool({ bufferBytes: MAX_BUFFER_BYTES, maxBuffers });
    this.pool = this.buildPool();
    this.health = new StoreHealth({ events, probe: () => this.pool.runJob('probe') });
    this.uploads = this.buildUploads();
    this.downloads = this.buildDownloads();
    this.publicServer = this.buildPublicServer();
    this.metrics = this.buildMetrics();
    this.operatorServer = this.buildOperatorServer();
  }

  /** Requests and uploads whose outcome is open. */
  get inFlight(): number {
    return Math.max(this.publicServer.openExchanges, this.uploads.inFlight);
  }

  /** Opens the store, then the ports. Errors: StartError. */
  async start(): Promise<{ readonly listen: Listening; readonly metrics: Listening | null }> {
    const { config } = this;
    await this.openStore();
    this.pool.startLanes();
    const metrics = config.metrics === null ? null : await this.openOperatorPort(config.metrics);
    const listen = await listenPublic(this.publicServer, config.listen);
    this.listening.push(listen);
    this.ticker = setInterval(() => this.tick(), TICK_MS);
    this.state = 'ready';
    return { listen, metrics };
  }

  /** What a new configuration changes while the server runs. */
  applyConfig(config: Config): void {
    this.config = config;
    this.uploadRules = rulesOf(config);
    this.pool.setSecrets(secretsOf(config));
    this.dependencies.logger.setLevel(config.logLevel);
  }

  /** Takes no new connections; what runs goes on. */
  stopAccepting(): void {
    this.state = 'stopping';
    this.publicServer.stopListening();
  }

  /** Ends what still runs, without a trace of unfinished uploads, and frees everything. */
  async stop(): Promise<void> {
    this.state = 'stopping';
    if (this.ticker !== null) clearInterval(this.ticker);
    this.publicServer.closeAll();
    this.operatorServer.closeAll();
    this.health.stop();
    await this.pool.stop();
    this.metrics.stop();
    for (const listening of this.listening) forgetAddress(listening);
    this.lock?.release();
  }

  private async openStore(): Promise<void> {
    const { storeDir } = this.config;
    try {
      const identity = await this.pool.runJob('prepare');
      this.lock = await lockStore(identity);
      if (this.lock === null) throw new StartError(`StoreDir ${storeDir} is in use by another server`);
      const { removedStagingFiles } = await this.pool.runJob('recover');
      this.space = await this.pool.runJob('space');
      const fields = { directory: storeDir, removed_staging_files: removedStagingFiles };
      this.dependencies.logger.log('info', 'Store directory is ready', fields);
    } catch (error) {
      if (!(error instanceof JobError)) throw error;
      throw new StartError(`StoreDir ${storeDir}: ${error.message}`, { cause: error });
    }
  }

  /** Nothing counts when nobody can look: events without a listener cost nothing. */
  private async openOperatorPort(address: NonNullable<Config['metrics']>): Promise<Listening> {
    const listening = await listenOperator(this.operatorServer, address);
    this.listening.push(listening);
    this.metrics.start();
    return listening;
  }

  private readiness(): Readiness {
    if (this.state !== 'ready') return this.state;
    return this.health.isDegraded ? 'store degraded' : 'ready';
  }

  private tick(): void {
    this.ticks += 1;
    this.downloads.tick(performance.now());
    if (this.ticks % TRIM_TICKS === 0) {
      this.uploadBuffers.trim();
      this.downloadBuffers.trim();
    }
    if (this.ticks % SPACE_TICKS === 0) void this.measureSpace();
  }

  private async measureSpace(): Promise<void> {
    try {
      this.space = await this.pool.runJob('space');
    } catch {
      // The store cannot be looked at: writes will say why, and until then nothing is known.
      this.space = null;
    }
  }

  private buildPool(): WorkerPool {
    const { config, uploadBuffers, downloadBuffers } = this;
    const { storeDir, durability, minFreeBytes, minFreeInodes, uploadLanes, downloadLanes } = config;
    return new WorkerPool({
      uploadLanes,
      downloadLanes,
      secrets: secretsOf(config),
      settings: { storeDir, durability, minFreeBytes, minFreeInodes },
      uploadBuffers,
      downloadBuffers,
      events: this.dependencies.events,
    });
  }

  private buildUploads(): UploadService {
    const { pool, health, uploadBuffers: buffers, config } = this;
    const { events } = this.dependencies;
    const { maxConcurrentUploads } = config;
    const onStored = (key: FileKey): void => this.downloads.forget(key);
    return new UploadService({ pool, buffers, events, health, maxConcurrentUploads, onStored });
  }

  private buildDownloads(): DownloadService {
    const { pool, downloadBuffers: buffers, config } = this;
    const rules = { hasRanges: config.resumableDownloadsEnabled, isReplaceable: config.enableVersioning };
    return new DownloadService({ pool, buffers, events: this.dependencies.events, rules });
  }

  private buildPublicServer(): UwsServer {
    const { uws, events } = this.dependencies;
    const pipeline = new Pipeline({
      basePath: this.config.basePath,
      uploads: this.uploads,
      downloads: this.downloads,
      protocols: [createPlainPut(() => this.uploadRules)],
      events,
    });
    return new UwsServer({
      uws,
      name: process.pid.toString(36),
      maxConnections: this.config.maxConnections,
      handle: (exchange) => pipeline.handle(exchange),
      onError: (error) => this.reportBug(error),
      onConnection: (change, open, remote) => {
        if (change === 'opened') events.publish({ type: 'connection.opened', remote, open });
        else events.publish({ type: 'connection.closed', open });
      },
    });
  }

  private buildMetrics(): Metrics {
    const { events, logger, version } = this.dependencies;
    const sources = {
      isReady: () => this.readiness() === 'ready',
      requestsInFlight: () => this.publicServer.openExchanges,
      openConnections: () => this.publicServer.openConnections,
      uploadsInFlight: (protocol: string) => (protocol === 'put' ? this.uploads.inFlight : 0),
      poolStats: () => this.pool.stats,
      storeFreeBytes: () => this.space?.freeBytes ?? null,
      isStoreDegraded: () => this.health.isDegraded,
      configWarnings: () => new Set(this.config.warnings.flatMap(({ reason }) => (reason === null ? [] : [reason]))),
      droppedEvents: () => events.droppedEvents,
      droppedLogLines: () => logger.droppedLines(),
    };
    return new Metrics({ events, sources, version, durability: this.config.durability });
  }

  private buildOperatorServer(): UwsServer {
    const onError = (error: unknown): void => this.reportBug(error);
    const readiness = (): Readiness => this.readiness();
    const handle = createOperatorRoutes({ metrics: this.metrics, readiness, onError });
    const { uws } = this.dependencies;
    return new UwsServer({ uws, name: 'operator', maxConnections: MAX_OPERATOR_CONNECTIONS, handle, onError });
  }

  private reportBug(error: unknown): void {
    const { message, stack = message } = error instanceof Error ? error : new Error(String(error));
    this.dependencies.events.publish({ type: 'server.failed', code: 'internal', message, stack, isFatal: false });
  }
}

function secretsOf(config: Config): Secrets {
  return [config.secret, ...config.previousSecrets];
}

function rulesOf(config: Config): UploadRules {
  const { basePath, signedPath, typeByExtension, acceptV3, allowedExtensions, maxUploadBytes } = config;
  return { basePath, signedPath, typeByExtension, acceptV3, allowedExtensions, maxUploadBytes, servedType };
}
