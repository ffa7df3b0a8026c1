/** What a new configuration changes while the server runs, and what has to wait for a restart. */

import type { Config } from './config.ts';
import { type ConfigKeyName, configKeyNames, rowOf } from './config-schema.ts';
import { deepFreeze } from './deep-freeze.ts';

export interface ConfigChange {
  /** The old configuration with the new values of the reloadable keys. */
  readonly next: Config;
  /** Keys whose new value is in `next`. */
  readonly changed: readonly ConfigKeyName[];
  /** Keys whose new value needs a restart. */
  readonly needRestart: readonly ConfigKeyName[];
}

/** What of the configuration each key decides. */
const fieldsOfKey = {
  ListenPort: ({ listen }) => (listen.kind === 'tcp' ? [listen.host, listen.port] : listen.path),
  UnixSocket: ({ listen }) => listen.kind,
  Secret: ({ secret }) => secret,
  StoreDir: ({ storeDir }) => storeDir,
  UploadSubDir: ({ basePath }) => basePath,
  LogLevel: ({ logLevel }) => logLevel,
  LogFile: ({ logFile }) => logFile,
  MetricsEnabled: ({ metrics }) => metrics !== null,
  MetricsPort: ({ metrics }) => metrics,
  FileTTL: ({ fileTtlSeconds }) => fileTtlSeconds,
  ResumableUploadsEnabled: ({ resumableUploadsEnabled }) => resumableUploadsEnabled,
  ResumableDownloadsEnabled: ({ resumableDownloadsEnabled }) => resumableDownloadsEnabled,
  EnableVersioning: ({ enableVersioning }) => enableVersioning,
  MaxVersions: ({ maxVersions }) => maxVersions,
  // ChunkingEnabled only chooses between ChunkSize and the built-in size.
  ChunkingEnabled: () => null,
  ChunkSize: ({ chunkBytes }) => chunkBytes,
  AllowedExtensions: ({ allowedExtensions }) => (allowedExtensions === null ? null : [...allowedExtensions].sort()),
  PreviousSecrets: ({ previousSecrets }) => previousSecrets,
  DeleteSecret: ({ deleteSecret }) => deleteSecret,
  SignedPath: ({ signedPath }) => signedPath,
  TypeByExtension: ({ typeByExtension }) => typeByExtension,
  AcceptV3: ({ acceptV3 }) => acceptV3,
  MaxUploadSize: ({ maxUploadBytes }) => maxUploadBytes,
  OwnerQuota: ({ ownerQuotaBytes }) => ownerQuotaBytes,
  Durability: ({ durability }) => durability,
  MinFreeSpace: ({ minFreeBytes }) => minFreeBytes,
  MinFreeInodes: ({ minFreeInodes }) => minFreeInodes,
  StoreDigest: ({ storeDigest }) => storeDigest,
  ShutdownTimeout: ({ shutdownTimeoutMs }) => shutdownTimeoutMs,
  PublicOrigin: ({ publicOrigin }) => publicOrigin,
  MaxConcurrentUploads: ({ maxConcurrentUploads }) => maxConcurrentUploads,
  MaxOpenUploads: ({ maxOpenUploads }) => maxOpenUploads,
  MaxOpenUploadsPerOwner: ({ maxOpenUploadsPerOwner }) => maxOpenUploadsPerOwner,
  MaxConnections: ({ maxConnections }) => maxConnections,
  Listeners: ({ listeners }) => listeners,
  UploadLanes: ({ uploadLanes }) => uploadLanes,
  DownloadLanes: ({ downloadLanes }) => downloadLanes,
  SocketMode: ({ socketMode }) => socketMode,
  TLSCertFile: ({ tls }) => tls && [tls.certFile, tls.fingerprint],
  WebhookURL: ({ webhook }) => webhook?.url,
  WebhookSecret: ({ webhook }) => webhook?.secret,
  WebhookEvents: ({ webhook }) => webhook?.events,
  WebhookQueueSize: ({ webhook }) => webhook?.queueSize,
  TLSKeyFile: ({ tls }) => tls?.keyFile,
  MaxRequestsPerAddress: ({ maxPerAddress }) => maxPerAddress.requests,
  MaxUploadsPerAddress: ({ maxPerAddress }) => maxPerAddress.uploads,
  SharedPort: ({ isPortShared }) => isPortShared,
  AccelRedirectPrefix: ({ accelRedirectPrefix }) => accelRedirectPrefix,
  TrustedProxies: ({ trustedProxies }) => trustedProxies,
} satisfies Record<ConfigKeyName, (config: Config) => unknown>;

function hasChanged(name: ConfigKeyName, previous: Config, loaded: Config): boolean {
  // Closed on one side: MetricsEnabled says it all.
  if (name === 'MetricsPort' && (previous.metrics === null || loaded.metrics === null)) return false;
  const fieldOf = fieldsOfKey[name];
  return JSON.stringify(fieldOf(previous)) !== JSON.stringify(fieldOf(loaded));
}

/** Warnings about what is in effect: exposure does not change before a restart, everything else does. */
function nextWarnings(previous: Config, loaded: Config): Config['warnings'] {
  return [
    ...loaded.warnings.filter(({ reason }) => reason !== 'metrics_exposed'),
    ...previous.warnings.filter(({ reason }) => reason === 'metrics_exposed'),
  ];
}

/** Compares the configuration in effect with a newly loaded one; both with their secrets resolved. */
export function compareConfigs(previous: Config, loaded: Config): ConfigChange {
  const different = configKeyNames.filter((name) => hasChanged(name, previous, loaded));
  const isTlsSwitched = (previous.tls === null) !== (loaded.tls === null);
  const isTaken = (name: ConfigKeyName): boolean =>
    rowOf(name).isReloadable && !(isTlsSwitched && (name === 'TLSCertFile' || name === 'TLSKeyFile'));
  const next: Config = {
    ...previous,
    secret: loaded.secret,
    secretSource: loaded.secretSource,
    previousSecrets: loaded.previousSecrets,
    deleteSecret: loaded.deleteSecret,
    logLevel: loaded.logLevel,
    logFile: loaded.logFile,
    allowedExtensions: loaded.allowedExtensions,
    fileTtlSeconds: loaded.fileTtlSeconds,
    maxVersions: loaded.maxVersions,
    maxUploadBytes: loaded.maxUploadBytes,
    ownerQuotaBytes: loaded.ownerQuotaBytes,
    trustedProxies: loaded.trustedProxies,
    maxPerAddress: loaded.maxPerAddress,
    // The socket that listens speaks TLS, or does not, to its end.
    tls: isTlsSwitched ? previous.tls : loaded.tls,
    warnings: nextWarnings(previous, loaded),
  };
  return {
    next: deepFreeze(next),
    changed: different.filter(isTaken),
    needRestart: different.filter((name) => !isTaken(name)),
  };
}
