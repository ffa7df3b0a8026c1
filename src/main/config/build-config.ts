/** Turns checked settings into the configuration: the rules that concern several keys, units, absolute paths. */

import { resolve, sep } from 'node:path';
import type { Config, ListenAddress, UnresolvedConfig, WebhookSettings } from './config.ts';
import type { ConfigProblem, Place } from './config-problem.ts';
import type { ConfigKeyName, Settings } from './config-schema.ts';
import { configWarnings } from './config-warnings.ts';
import { deepFreeze } from './deep-freeze.ts';
import type { GivenSettings } from './given-setting.ts';
import { accepted, type Checked, quote, refused } from './given-value.ts';
import type { HostFacts } from './host-facts.ts';
import { ALL_INTERFACES, mayCollide, parseHostPort } from './host-port.ts';
import { resolveTls } from './tls-files.ts';

const DEFAULT_CHUNK_BYTES = 1_048_576;
/** Linux `sun_path` has 108 bytes with the closing NUL. */
const MAX_SOCKET_PATH_BYTES = 107;

export interface BuildInput {
  readonly settings: Settings;
  readonly given: GivenSettings;
  readonly failed: ReadonlySet<ConfigKeyName>;
  readonly isFileComplete: boolean;
  readonly isFileWorldReadable: boolean;
  readonly host: HostFacts;
  readonly file: string;
  readonly configPath: string;
  readonly cwd: string;
}

export interface BuiltConfig {
  /** Null when the listed problems, or those of single keys, leave none. */
  readonly config: UnresolvedConfig | null;
  readonly problems: readonly ConfigProblem[];
}

/** A rule about several keys. */
interface Rule {
  /** The rule is skipped when one of these was refused already. The first one given is where the problem is shown. */
  readonly keys: readonly [ConfigKeyName, ...ConfigKeyName[]];
  /** The message; null: fine. */
  readonly check: (input: BuildInput) => string | null;
}

const rules: readonly Rule[] = [
  {
    keys: ['ListenPort', 'UnixSocket'],
    check: ({ settings, cwd }) => {
      const listen = resolveListen(settings, cwd);
      return listen.ok ? null : `ListenPort = ${quote(settings.ListenPort)} ${listen.message}`;
    },
  },
  {
    keys: ['MetricsPort', 'ListenPort', 'UnixSocket', 'MetricsEnabled'],
    check: ({ settings, cwd }) => {
      const listen = resolveListen(settings, cwd);
      if (!settings.MetricsEnabled || !listen.ok || listen.value.kind !== 'tcp') return null;
      if (!mayCollide(listen.value, settings.MetricsPort)) return null;
      return `MetricsPort and ListenPort are both port ${listen.value.port}; they need different ones`;
    },
  },
  {
    keys: ['WebhookURL', 'WebhookSecret'],
    check: ({ settings: { WebhookURL: url, WebhookSecret: secret } }) => {
      if (url !== null && secret === null) return 'WebhookURL needs WebhookSecret, or anybody could send such messages';
      return url === null && secret !== null
        ? 'WebhookSecret has no effect without WebhookURL; remove it, or set both'
        : null;
    },
  },
  {
    keys: ['StoreDir'],
    check: ({ settings, isFileComplete, given }) => {
      if (settings.StoreDir !== null || given.has('StoreDir') || !isFileComplete) return null;
      return 'StoreDir is not set; write the folder that holds the files, such as StoreDir = "./uploads"';
    },
  },
  {
    keys: ['SharedPort', 'ListenPort', 'UnixSocket'],
    check: ({ settings, cwd }) => {
      const listen = resolveListen(settings, cwd);
      if (!settings.SharedPort || !listen.ok || listen.value.kind !== 'tcp' || listen.value.port !== 0) return null;
      return 'SharedPort needs a ListenPort that both servers know; port 0 is any free one';
    },
  },
  {
    keys: ['TLSCertFile', 'TLSKeyFile', 'UnixSocket'],
    check: ({ settings, cwd }) => {
      const tls = resolveTls(settings, cwd);
      return tls.ok ? null : tls.message;
    },
  },
  {
    keys: ['AccelRedirectPrefix', 'EnableVersioning'],
    check: ({ settings }) => {
      if (settings.AccelRedirectPrefix === null || !settings.EnableVersioning) return null;
      return "AccelRedirectPrefix cannot be used with EnableVersioning = true: nginx's validators do not tell two contents of one second apart";
    },
  },
  {
    keys: ['LogFile', 'StoreDir'],
    check: ({ settings, cwd }) => {
      if (settings.StoreDir === null || settings.LogFile === '') return null;
      if (!isInside(resolve(cwd, settings.StoreDir), resolve(cwd, settings.LogFile))) return null;
      return `LogFile = ${quote(settings.LogFile)} lies inside StoreDir, so everybody could read it; write a path outside`;
    },
  },
  {
    keys: ['StoreDir'],
    check: ({ settings, cwd, configPath, file }) => {
      if (settings.StoreDir === null) return null;
      const folder = resolve(cwd, settings.StoreDir);
      const shown = `StoreDir = ${quote(settings.StoreDir)}`;
      if (folder === resolve(sep)) return `${shown} is the root of the file system; write a folder of its own`;
      if (!isInside(folder, configPath)) return null;
      return `${shown} contains ${file}, so everybody could read it; write another folder`;
    },
  },
];

function isInside(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}

function resolveListen({ ListenPort: text, UnixSocket }: Settings, cwd: string): Checked<ListenAddress> {
  const isPath = (text.includes('/') && !text.includes('://')) || text.endsWith('.sock');
  if (!UnixSocket) {
    if (isPath) return refused('is a path; write a port, or set UnixSocket = true');
    const address = parseHostPort(text, ALL_INTERFACES);
    return address.ok ? accepted({ kind: 'tcp', ...address.value }) : address;
  }
  if (!isPath)
    return refused('is no path, as UnixSocket = true needs; write one, such as "/run/hmac-file-server/http.sock"');
  if (text.endsWith('/')) return refused('is a folder; write the path of the socket');
  const path = resolve(cwd, text);
  const bytes = Buffer.byteLength(path);
  if (bytes <= MAX_SOCKET_PATH_BYTES) return accepted({ kind: 'unix', path });
  return refused(`is ${bytes} bytes long as a whole path; unix sockets take at most ${MAX_SOCKET_PATH_BYTES}`);
}

function applyRules(input: BuildInput): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const wholeFile: Place = { kind: 'file', file: input.file, line: null, column: null };
  for (const { keys, check } of rules) {
    if (keys.some((key) => input.failed.has(key))) continue;
    const message = check(input);
    if (message === null) continue;
    const shown = keys.find((key) => input.given.has(key));
    const place = (shown === undefined ? undefined : input.given.get(shown)?.place) ?? wholeFile;
    problems.push({ place, key: shown ?? keys[0], message });
  }
  return problems;
}

/**
 * 0 is automatic: upload lanes follow the cores but one, which receives and answers, download lanes half of the cores. No
 * listener is without a lane.
 */
function threads(settings: Settings, cores: number): Pick<Config, 'listeners' | 'uploadLanes' | 'downloadLanes'> {
  const { Listeners, UploadLanes, DownloadLanes } = settings;
  const automaticUploads = Math.min(8 * Listeners, cores - 1);
  const automaticDownloads = Math.min(4 * Listeners, Math.ceil(cores / 2));
  return {
    listeners: Listeners,
    uploadLanes: Math.max(Listeners, UploadLanes === 0 ? automaticUploads : UploadLanes),
    downloadLanes: Math.max(Listeners, DownloadLanes === 0 ? automaticDownloads : DownloadLanes),
  };
}

/** 0 stands for no limit. */
function limitOf(setting: number): number | null {
  return setting === 0 ? null : setting;
}

/** Beside the store, like the generated secret: inside it would be served. */
function webhookOf(settings: Settings, storeDir: string): WebhookSettings | null {
  const { WebhookURL: url, WebhookSecret: secret, WebhookEvents: events, WebhookQueueSize: queueSize } = settings;
  if (url === null || secret === null) return null;
  return { url, secret, events, queueSize, queueFolder: `${storeDir}.webhooks` };
}

/** What settings amount to together. */
interface Resolved {
  readonly listen: ListenAddress;
  readonly tls: Config['tls'];
  readonly storeDir: string;
}

function toConfig(input: BuildInput, { listen, tls, storeDir }: Resolved): UnresolvedConfig {
  const { settings, cwd } = input;
  const config: UnresolvedConfig = {
    listen,
    tls,
    socketMode: settings.SocketMode,
    secret: settings.Secret,
    secretSource: input.given.get('Secret')?.source ?? 'generated',
    previousSecrets: settings.PreviousSecrets,
    deleteSecret: settings.DeleteSecret,
    storeDir: resolve(cwd, storeDir),
    basePath: settings.UploadSubDir,
    logLevel: settings.LogLevel,
    logFile: settings.LogFile === '' ? null : resolve(cwd, settings.LogFile),
    metrics: settings.MetricsEnabled ? settings.MetricsPort : null,
    fileTtlSeconds: settings.FileTTL === 0 ? null : settings.FileTTL,
    resumableUploadsEnabled: settings.ResumableUploadsEnabled,
    resumableDownloadsEnabled: settings.ResumableDownloadsEnabled,
    enableVersioning: settings.EnableVersioning,
    maxVersions: settings.MaxVersions,
    chunkBytes: settings.ChunkingEnabled ? settings.ChunkSize : DEFAULT_CHUNK_BYTES,
    allowedExtensions: settings.AllowedExtensions.length === 0 ? null : new Set(settings.AllowedExtensions),
    signedPath: settings.SignedPath,
    typeByExtension: settings.TypeByExtension,
    acceptV3: settings.AcceptV3,
    maxUploadBytes: settings.MaxUploadSize === 0 ? null : settings.MaxUploadSize,
    ownerQuotaBytes: settings.OwnerQuota === 0 ? null : settings.OwnerQuota,
    durability: settings.Durability,
    minFreeBytes: settings.MinFreeSpace,
    minFreeInodes: settings.MinFreeInodes,
    storeDigest: settings.StoreDigest,
    shutdownTimeoutMs: settings.ShutdownTimeout * 1_000,
    publicOrigin: settings.PublicOrigin,
    maxPerAddress: {
      requests: limitOf(settings.MaxRequestsPerAddress),
      uploads: limitOf(settings.MaxUploadsPerAddress),
    },
    isPortShared: settings.SharedPort,
    accelRedirectPrefix: settings.AccelRedirectPrefix,
    trustedProxies: settings.TrustedProxies,
    maxConcurrentUploads: settings.MaxConcurrentUploads,
    maxOpenUploads: settings.MaxOpenUploads,
    maxOpenUploadsPerOwner: settings.MaxOpenUploadsPerOwner,
    maxConnections: settings.MaxConnections,
    ...threads(settings, input.host.cores),
    webhook: webhookOf(settings, resolve(cwd, storeDir)),
    warnings: [],
  };
  return { ...config, warnings: configWarnings(config, input) };
}

/** The configuration, unless a rule about several keys, or a key itself, stands against it. */
export function buildConfig(input: BuildInput): BuiltConfig {
  const problems = applyRules(input);
  const listen = resolveListen(input.settings, input.cwd);
  const tls = resolveTls(input.settings, input.cwd);
  const { StoreDir } = input.settings;
  if (problems.length > 0 || !listen.ok || !tls.ok || StoreDir === null) return { config: null, problems };
  return {
    config: deepFreeze(toConfig(input, { listen: listen.value, tls: tls.value, storeDir: StoreDir })),
    problems,
  };
}
