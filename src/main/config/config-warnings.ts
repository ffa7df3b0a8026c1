/** What starts, but should be known: weak secrets, exposed pages, settings without effect. Never shows a secret. */

import type { ConfigWarning, UnresolvedConfig } from './config.ts';
import { laterNote } from './config-key.ts';
import { configKeyNames, rowOf, type Settings } from './config-schema.ts';
import { formatDuration } from './duration.ts';
import type { GivenSettings } from './given-setting.ts';
import { type GivenValue, quote } from './given-value.ts';
import type { HostFacts } from './host-facts.ts';
import { formatHostPort, isWildcard } from './host-port.ts';
import { isPlainPath } from './url-path.ts';

const SHORTEST_SECRET_BYTES = 16;
const SHORTEST_QUIET_TTL_SECONDS = 3_600;
const UPLOADS_IN_MEMORY_ESTIMATE = 32;

/** The secrets of published examples, such as `your-very-secure-secret-key`: whoever has read those can sign. */
const PUBLISHED_SECRET = /^(?:changeme|(?:your|example)-(?:[a-z]+-)*secret(?:-[a-z]+)*)$/i;

/** What warnings depend on besides the configuration itself. */
export interface WarningFacts {
  readonly settings: Settings;
  readonly given: GivenSettings;
  readonly isFileWorldReadable: boolean;
  readonly file: string;
  readonly host: Pick<HostFacts, 'memoryBytes' | 'migratesConnections'>;
}

const secretKeys = ['Secret', 'PreviousSecrets', 'DeleteSecret'] as const;

function secretWarnings(name: string, secret: string): readonly ConfigWarning[] {
  const warnings: ConfigWarning[] = [];
  if (PUBLISHED_SECRET.test(secret)) {
    warnings.push({
      reason: 'placeholder_secret',
      message: `${name} is the placeholder of a published example: everybody can sign uploads; write a random one`,
    });
  } else if (/^\$\{?\w+\}?$/.test(secret)) {
    warnings.push({
      reason: 'placeholder_secret',
      message: `${name} looks like the name of a variable; nothing is expanded in it, so the name itself is the secret`,
    });
  }
  const bytes = Buffer.byteLength(secret);
  if (bytes < SHORTEST_SECRET_BYTES) {
    const message = `${name} has only ${bytes} bytes and can be guessed; write at least ${SHORTEST_SECRET_BYTES}`;
    warnings.push({ reason: 'short_secret', message });
  }
  if (secret !== secret.trim()) {
    warnings.push({ reason: null, message: `${name} begins or ends with white space, which is part of the secret` });
  }
  return warnings;
}

function allSecretWarnings(config: UnresolvedConfig): readonly ConfigWarning[] {
  const { secret, previousSecrets } = config;
  const warnings = secret === null ? [] : [...secretWarnings('Secret', secret)];
  for (const [index, previous] of previousSecrets.entries()) {
    warnings.push(...secretWarnings(`PreviousSecrets entry ${index + 1}`, previous));
    if (previous === secret) {
      warnings.push({ reason: null, message: `PreviousSecrets entry ${index + 1} is Secret itself and has no effect` });
    }
  }
  return warnings;
}

function trustWarnings({ trustedProxies, accelRedirectPrefix }: UnresolvedConfig): readonly ConfigWarning[] {
  const { ranges, hasUnixSocket } = trustedProxies;
  const warnings: ConfigWarning[] = [];
  if (ranges.some(({ prefix }) => prefix === 0)) {
    const message = 'TrustedProxies takes the word of every address: clients can claim any address they like';
    warnings.push({ reason: null, message });
  }
  if (accelRedirectPrefix !== null && ranges.length === 0 && !hasUnixSocket) {
    const message = 'AccelRedirectPrefix has no effect without TrustedProxies: only those are told where a file lies';
    warnings.push({ reason: null, message });
  }
  return warnings;
}

function tlsWarnings({ tls }: UnresolvedConfig): readonly ConfigWarning[] {
  if (tls === null) return [];
  const warnings: ConfigWarning[] = [];
  if (tls.expiresMs < Date.now()) {
    const message = `TLSCertFile = ${quote(tls.certFile)} has expired on ${new Date(tls.expiresMs).toISOString()}`;
    warnings.push({ reason: null, message });
  }
  if (tls.isKeyWorldReadable) {
    const message = `TLSKeyFile: every user of this machine can read the key; run: chmod o-rwx '${tls.keyFile}'`;
    warnings.push({ reason: null, message });
  }
  return warnings;
}

function handoverWarnings(
  { isPortShared, listen }: UnresolvedConfig,
  { host }: WarningFacts,
): readonly ConfigWarning[] {
  if (!isPortShared || listen.kind === 'unix' || host.migratesConnections) return [];
  const message =
    'SharedPort: a connection that comes in the moment in which the port changes hands is reset; run: sysctl -w net.ipv4.tcp_migrate_req=1';
  return [{ reason: null, message }];
}

function exposureWarnings(config: UnresolvedConfig, facts: WarningFacts): readonly ConfigWarning[] {
  const warnings: ConfigWarning[] = [];
  if (config.metrics !== null && isWildcard(config.metrics.host)) {
    const message = `MetricsPort takes all interfaces (${formatHostPort(config.metrics)}): everybody who reaches the port sees the operator's pages; write "127.0.0.1:${config.metrics.port}" to keep them local`;
    warnings.push({ reason: 'metrics_exposed', message });
  }
  const isSecretInFile = secretKeys.some((name) => facts.given.get(name)?.source === 'config');
  if (facts.isFileWorldReadable && isSecretInFile) {
    const message = `${facts.file} holds a secret, and every user of this machine can read it; run: chmod o-r '${facts.file}'`;
    warnings.push({ reason: null, message });
  }
  return warnings;
}

/** Keys that somebody switched on, and that nothing reads yet. */
function laterWarnings({ given }: WarningFacts): readonly ConfigWarning[] {
  const isOff = (value: GivenValue): boolean =>
    'value' in value && (value.value === false || value.value === '' || value.value === '0');
  return configKeyNames.flatMap((name) => {
    const setting = given.get(name);
    const note = laterNote(rowOf(name));
    if (setting === undefined || note === '' || isOff(setting.value)) return [];
    return [{ reason: null, message: `${name}: ${lowerFirst(note)}` }];
  });
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}

function versionWarnings(config: UnresolvedConfig, facts: WarningFacts): readonly ConfigWarning[] {
  if (!facts.given.has('MaxVersions') || config.enableVersioning) return [];
  return [{ reason: null, message: 'MaxVersions has no effect without EnableVersioning = true' }];
}

function expiryWarnings(config: UnresolvedConfig): readonly ConfigWarning[] {
  const seconds = config.fileTtlSeconds;
  if (seconds === null || seconds >= SHORTEST_QUIET_TTL_SECONDS) return [];
  return [
    { reason: 'ttl_short', message: `FileTTL removes files after ${formatDuration(seconds)}, less than an hour` },
  ];
}

function transferWarnings(config: UnresolvedConfig, facts: WarningFacts): readonly ConfigWarning[] {
  const warnings: ConfigWarning[] = [];
  if (facts.given.has('ChunkSize') && !facts.settings.ChunkingEnabled) {
    warnings.push({ reason: null, message: 'ChunkSize has no effect with ChunkingEnabled = false' });
  }
  // An upload in flight holds about two pieces.
  const neededBytes = 2 * config.chunkBytes * UPLOADS_IN_MEMORY_ESTIMATE;
  if (neededBytes > facts.host.memoryBytes / 4) {
    const share = Math.round((100 * neededBytes) / facts.host.memoryBytes);
    const message = `ChunkSize: ${UPLOADS_IN_MEMORY_ESTIMATE} uploads at once take ${neededBytes} bytes, ${share} % of the memory`;
    warnings.push({ reason: null, message });
  }
  for (const extension of config.allowedExtensions ?? []) {
    if (!extension.includes('.')) continue;
    const last = extension.slice(extension.lastIndexOf('.') + 1);
    const message = `AllowedExtensions: ${quote(extension)} never matches; the extension is what follows the last dot: ${quote(last)}`;
    warnings.push({ reason: null, message });
  }
  return warnings;
}

function pathWarnings({ basePath }: UnresolvedConfig): readonly ConfigWarning[] {
  if (isPlainPath(basePath)) return [];
  const message = `UploadSubDir ${quote(basePath)} is compared as it arrives; clients that percent-encode it are answered 404`;
  return [{ reason: null, message }];
}

/** Everything that can be said before the store is looked at. */
export function configWarnings(config: UnresolvedConfig, facts: WarningFacts): readonly ConfigWarning[] {
  return [
    ...allSecretWarnings(config),
    ...exposureWarnings(config, facts),
    ...tlsWarnings(config),
    ...trustWarnings(config),
    ...handoverWarnings(config, facts),
    ...pathWarnings(config),
    ...expiryWarnings(config),
    ...versionWarnings(config, facts),
    ...laterWarnings(facts),
    ...transferWarnings(config, facts),
  ];
}

/** Files that never expire fill the disk: said when the store's file system has less than a tenth free. */
export function noExpiryWarning(
  config: Pick<UnresolvedConfig, 'fileTtlSeconds' | 'storeDir'>,
  freeBytes: number,
  totalBytes: number,
): ConfigWarning | null {
  if (config.fileTtlSeconds !== null || freeBytes >= totalBytes / 10) return null;
  const percent = Math.floor((100 * freeBytes) / totalBytes);
  const message = `FileTTL is not set, so files are never removed, and ${config.storeDir} has only ${percent} % free`;
  return { reason: 'no_expiry', message };
}
