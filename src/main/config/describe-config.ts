/** Shows the settings in effect, each with its origin, the way they would stand in a file. Secrets are counted, not shown. */

import type { ListenAddress, UnresolvedConfig } from './config.ts';
import { formatToml } from './config-file-template.ts';
import { formatPlace } from './config-problem.ts';
import { type ConfigKeyName, rowOf } from './config-schema.ts';
import type { GivenValue } from './given-value.ts';
import { formatHostPort, isWildcard } from './host-port.ts';
import type { EffectiveSetting } from './load-config.ts';

export interface DescribedConfig {
  readonly config: UnresolvedConfig;
  readonly settings: readonly EffectiveSetting[];
}

const VALUE_COLUMN = 48;

/** What a value amounts to, where the value does not say it itself. */
const effects: Partial<Record<ConfigKeyName, (config: UnresolvedConfig) => string | null>> = {
  ListenPort: ({ listen }) => formatListenAddress(listen),
  StoreDir: ({ storeDir }) => storeDir,
  UploadSubDir: ({ basePath }) => `URLs begin with ${basePath}`,
  LogFile: ({ logFile }) => logFile ?? 'standard output only',
  MetricsPort: ({ metrics }) => (metrics === null ? 'not opened' : formatHostPort(metrics)),
  FileTTL: ({ fileTtlSeconds }) => (fileTtlSeconds === null ? 'never' : `${fileTtlSeconds} seconds`),
  MaxUploadSize: ({ maxUploadBytes }) => (maxUploadBytes === null ? 'no limit' : null),
  ChunkSize: ({ chunkBytes }) => `${chunkBytes} bytes in use`,
  TLSCertFile: ({ tls }) => (tls === null ? 'no TLS' : `valid until ${new Date(tls.expiresMs).toISOString()}`),
  MaxRequestsPerAddress: ({ maxPerAddress }) => (maxPerAddress.requests === null ? 'no limit' : null),
  MaxUploadsPerAddress: ({ maxPerAddress }) => (maxPerAddress.uploads === null ? 'no limit' : null),
  AllowedExtensions: ({ allowedExtensions }) => (allowedExtensions === null ? 'all' : null),
  UploadLanes: ({ uploadLanes }) => `${uploadLanes} in use`,
  DownloadLanes: ({ downloadLanes }) => `${downloadLanes} in use`,
};

/** The address for people: `all interfaces, port 8080`, `127.0.0.1:8080` or `unix:/run/x.sock`. */
export function formatListenAddress(listen: ListenAddress): string {
  if (listen.kind === 'unix') return `unix:${listen.path}`;
  return isWildcard(listen.host) ? `all interfaces, port ${listen.port}` : formatHostPort(listen);
}

/** `set, 43 bytes`; the byte length is that of the HMAC key. */
export function redactSecret(secret: string): string {
  return `set, ${Buffer.byteLength(secret)} bytes`;
}

function redact(value: GivenValue | null): string {
  if (value?.type === 'string') return value.value === '' ? '(not set)' : `(${redactSecret(value.value)})`;
  if (value?.type === 'array' && value.items.length > 0) return `[${value.items.map(redact).join(', ')}]`;
  return '(not set)';
}

function describeSetting({ name, value, place }: EffectiveSetting, config: UnresolvedConfig): string {
  const shown = rowOf(name).isSecret || value === null ? redact(value) : formatToml(value);
  const origin = place === null ? 'default' : formatPlace(place);
  const effect = effects[name]?.(config) ?? null;
  const comment = effect === null ? origin : `${origin}: ${effect}`;
  return `${`${name} = ${shown}`.padEnd(VALUE_COLUMN)}  # ${comment}`;
}

/** One line for every key: `FileTTL = "30d"    # config.toml:12:11: 2592000 seconds`. */
export function describeConfig({ config, settings }: DescribedConfig): string {
  return settings.map((setting) => `${describeSetting(setting, config)}\n`).join('');
}
