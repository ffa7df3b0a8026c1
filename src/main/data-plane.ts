/**
 * Everything that serves clients on one thread, from the sockets to the lanes: transport, pipeline, uploads, downloads,
 * and the buffers between them. It knows neither configuration files nor who listens to its events.
 */

import { AddressCounts } from '../shared/address-counts.ts';
import { BufferPool } from '../shared/buffers.ts';
import { ContentGenerations } from '../shared/content-generations.ts';
import type { EventPublisher } from '../shared/events.ts';
import type { FileKey } from '../shared/files.ts';
import type { Secrets } from '../shared/messages.ts';
import { TrafficCount } from '../shared/traffic-count.ts';
import type { WorkerSettings } from '../shared/worker-jobs.ts';
import type { UploadRules } from './auth/grant.ts';
import { questionAbout } from './auth/signature-readings.ts';
import type { Config } from './config/config.ts';
import { type DeleteRules, DeleteService } from './deletion/delete-service.ts';
import { DownloadService } from './download/download-service.ts';
import { servedType } from './download/representation.ts';
import { failureEvent } from './failure-event.ts';
import { TrustedProxies } from './http/client-address.ts';
import { LaneWatchdog } from './lanes/lane-watchdog.ts';
import { type PoolStats, WorkerPool } from './lanes/worker-pool.ts';
import { Pipeline, type PipelineOptions } from './pipeline.ts';
import type { PlaneShare } from './plane-share.ts';
import { type OpenCounts, openCounts, type SharedMemory } from './shared-memory.ts';
import { SignatureExplainer } from './signature-explainer.ts';
import type { StoreHealth } from './store/store-health.ts';
import { createContentRangePut } from './upload/content-range-put.ts';
import { createPlainPut } from './upload/plain-put.ts';
import { createResumableDraft } from './upload/resumable-draft.ts';
import { createTus } from './upload/tus.ts';
import type { UploadProtocol } from './upload/upload-protocol.ts';
import { UploadService } from './upload/upload-service.ts';
import type { UwsModule } from './uws/load-uws.ts';
import { StalledReaders } from './uws/stalled-readers.ts';
import type { ServerDescriptor } from './uws/uws-acceptor.ts';
import { UwsServer } from './uws/uws-server.ts';

/** What the transport delivers in one piece; storage is never given more at once than ChunkSize. */
const MAX_BUFFER_BYTES = 512 * 1024;
/** Most uploads of chats fit into this. */
const SMALL_BUFFER_BYTES = 64 * 1024;
/** For what slow clients send at once: a thousand of them must not be in the way of others. */
const SMALLEST_BUFFER_BYTES = 4 * 1024;
/** Of the download buffers, kept for the first bytes of files while slow readers have all others. */
const RESERVED_PART = 4;
const TICK_MS = 1_000;
const TRIM_TICKS = 5;
/** How long lanes may take to say what they have kept of uploads that were cut by the end of the server. */
const LAST_WORDS_MS = 3_000;

export interface DataPlaneDependencies {
  readonly uws: UwsModule;
  /** Prefix of request ids, unlike any other in this process. */
  readonly name: string;
  readonly config: Config;
  readonly share: PlaneShare;
  readonly workerSettings: WorkerSettings;
  readonly memory: SharedMemory;
  /** Number of this data plane among those that share the memory. */
  readonly plane: number;
  readonly events: EventPublisher;
  readonly health: StoreHealth;
}

export class DataPlane {
  /** Where clients connect to; whoever hosts the data plane opens its port. */
  readonly server: UwsServer;
  private readonly dependencies: DataPlaneDependencies;
  private readonly counts: OpenCounts;
  private readonly generations: ContentGenerations;
  private readonly uploadBuffers: BufferPool;
  private readonly downloadBuffers: BufferPool;
  private readonly pool: WorkerPool;
  private readonly watchdog = new LaneWatchdog();
  private readonly uploads: UploadService;
  private readonly downloads: DownloadService;
  private uploadRules: UploadRules;
  private deleteRules: DeleteRules;
  private maxVersions: number;
  private proxies: TrustedProxies;
  private maxPerAddress: Config['maxPerAddress'];
  /** Fingerprint of the one in use; null: no TLS. */
  private certificate: string | null;
  private ticker: NodeJS.Timeout | null = null;
  private ticks = 0;

  constructor(dependencies: DataPlaneDependencies) {
    const { config, share } = dependencies;
    this.dependencies = dependencies;
    this.uploadRules = rulesOf(config);
    this.deleteRules = config;
    this.maxVersions = config.maxVersions;
    this.proxies = new TrustedProxies(config.trustedProxies);
    this.maxPerAddress = config.maxPerAddress;
    this.certificate = config.tls?.fingerprint ?? null;
    this.counts = openCounts(dependencies.memory, dependencies.plane);
    this.generations = new ContentGenerations(dependencies.memory.generations);
    const bufferBytes = Math.min(config.chunkBytes, MAX_BUFFER_BYTES);
    const upToLargest = (bytes: number) => Math.min(bytes, bufferBytes);
    this.uploadBuffers = new BufferPool({
      sizes: [upToLargest(SMALLEST_BUFFER_BYTES), upToLargest(SMALL_BUFFER_BYTES), bufferBytes],
      maxBytes: share.uploadBytes,
    });
    this.downloadBuffers = new BufferPool({
      sizes: [SMALL_BUFFER_BYTES, MAX_BUFFER_BYTES],
      maxBytes: share.downloadBytes,
      reservedBytes: share.downloadBytes / RESERVED_PART,
    });
    this.pool = this.buildPool();
    this.uploads = this.buildUploads();
    this.downloads = this.buildDownloads();
    this.server = this.buildServer();
  }

  /** Requests that have not been answered completely. */
  get openRequests(): number {
    return this.counts.requests.own;
  }

  get poolStats(): PoolStats {
    return this.pool.stats;
  }

  /** Requests may come; they wait until the store is open. */
  open(): void {
    this.pool.openLanes();
  }

  /** The store is open: takes up the requests that wait, and all that come. */
  start(): void {
    this.pool.startLanes();
    this.ticker = setInterval(() => this.tick(), TICK_MS);
  }

  /** What a new configuration changes while the server runs. Returns what an acceptor is to know the server by from now on. */
  applyConfig(config: Config): ServerDescriptor | null {
    this.uploadRules = rulesOf(config);
    this.deleteRules = config;
    this.maxVersions = config.maxVersions;
    this.proxies = new TrustedProxies(config.trustedProxies);
    this.maxPerAddress = config.maxPerAddress;
    this.pool.setSecrets(secretsOf(config));
    return this.renewCertificate(config.tls);
  }

  /** Ends what still runs and frees everything. Of unfinished uploads what can be gone on with is kept. */
  async stop(): Promise<void> {
    if (this.ticker !== null) clearInterval(this.ticker);
    this.server.closeAll();
    await this.uploads.settled(LAST_WORDS_MS);
    await this.pool.stop();
  }

  /** A certificate that was replaced under the same name is a new one. A bad one changes nothing. */
  private renewCertificate(tls: Config['tls']): ServerDescriptor | null {
    if (tls === null || tls.fingerprint === this.certificate) return null;
    try {
      const server = this.server.renew(tls);
      this.certificate = tls.fingerprint;
      return server;
    } catch (error) {
      this.dependencies.events.publish(failureEvent('certificate', error, false));
      return null;
    }
  }

  private tick(): void {
    this.ticks += 1;
    this.downloads.tick(performance.now());
    const hung = this.watchdog.hungLane(this.pool.lanes);
    if (hung !== null) this.dependencies.health.report({ code: 'io', detail: `${hung} hangs in the store` });
    if (this.ticks % TRIM_TICKS !== 0) return;
    this.uploadBuffers.trim();
    this.downloadBuffers.trim();
  }

  private buildPool(): WorkerPool {
    const { uploadBuffers, downloadBuffers } = this;
    const { config, share, workerSettings: settings, events } = this.dependencies;
    const secrets = secretsOf(config);
    return new WorkerPool({ ...share, secrets, settings, uploadBuffers, downloadBuffers, events });
  }

  private buildUploads(): UploadService {
    const { pool, uploadBuffers: buffers } = this;
    const { config, events, health } = this.dependencies;
    const { maxConcurrentUploads } = config;
    return new UploadService({
      pool,
      buffers,
      events,
      health,
      inFlight: this.counts.uploads,
      maxConcurrentUploads,
      keepVersions: () => (config.enableVersioning ? this.maxVersions : null),
      isResumable: config.resumableUploadsEnabled,
      allowedExtensions: () => this.uploadRules.allowedExtensions,
      onStored: (key) => this.generations.changed(key),
    });
  }

  private buildDownloads(): DownloadService {
    const { pool, downloadBuffers: buffers, generations } = this;
    const { config, share, events } = this.dependencies;
    const { cacheBytes } = share;
    const { accelRedirectPrefix } = config;
    const rules = { hasRanges: config.resumableDownloadsEnabled, isReplaceable: config.enableVersioning };
    return new DownloadService({ pool, buffers, events, rules, generations, accelRedirectPrefix, cacheBytes });
  }

  private buildProtocols(): readonly UploadProtocol[] {
    const { basePath, publicOrigin, resumableUploadsEnabled } = this.dependencies.config;
    const rules = (): UploadRules => this.uploadRules;
    const place = { basePath, publicOrigin };
    const plainPut = createPlainPut(rules);
    if (!resumableUploadsEnabled) return [plainPut];
    return [createTus(rules, place), createResumableDraft(rules, place), createContentRangePut(rules), plainPut];
  }

  private buildDeletions(): DeleteService {
    const { pool } = this;
    const { events, health } = this.dependencies;
    const onDeleted = (key: FileKey): void => this.generations.changed(key);
    return new DeleteService({ pool, events, health, rules: () => this.deleteRules, onDeleted });
  }

  private clientLimits(): Pick<PipelineOptions, 'clientRequests' | 'clientUploads'> {
    const { memory, plane } = this.dependencies;
    return {
      clientRequests: {
        counts: new AddressCounts(memory.clientRequests, plane),
        max: () => this.maxPerAddress.requests,
      },
      clientUploads: {
        counts: new AddressCounts(memory.clientUploads, plane),
        max: () => this.maxPerAddress.uploads,
      },
    };
  }

  private buildServer(): UwsServer {
    const { uws, name, config, events, memory, plane } = this.dependencies;
    const explainer = new SignatureExplainer(this.pool);
    const { clientRequests, clientUploads } = this.clientLimits();
    const pipeline = new Pipeline({
      basePath: config.basePath,
      uploads: this.uploads,
      downloads: this.downloads,
      deletions: this.buildDeletions(),
      explain: (grant, onHint) => explainer.explain(() => questionAbout(grant, this.uploadRules), onHint),
      protocols: this.buildProtocols(),
      clientRequests,
      clientUploads,
      events,
    });
    return new UwsServer({
      uws,
      name,
      certificate: config.tls,
      connections: this.counts.connections,
      requests: this.counts.requests,
      streams: this.counts.streams,
      maxConnections: config.maxConnections,
      readers: new StalledReaders(memory.stalledReaders, plane, (crowd) => {
        events.publish({ type: 'readers.stalled', ...crowd });
      }),
      proxies: () => this.proxies,
      traffic: new TrafficCount(memory.traffic, plane),
      handle: (exchange) => pipeline.handle(exchange),
      onError: (error) => events.publish(failureEvent('internal', error, false)),
      onConnection: (change, open, remote) => {
        if (change === 'opened') events.publish({ type: 'connection.opened', remote, open });
        else events.publish({ type: 'connection.closed', open });
      },
    });
  }
}

function secretsOf(config: Config): Secrets {
  return [config.secret, ...config.previousSecrets];
}

function rulesOf(config: Config): UploadRules {
  const { basePath, signedPath, typeByExtension, acceptV3, allowedExtensions, maxUploadBytes } = config;
  return { basePath, signedPath, typeByExtension, acceptV3, allowedExtensions, maxUploadBytes, servedType };
}
