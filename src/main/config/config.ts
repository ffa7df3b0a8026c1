/** Every setting after it was read and checked: what it means, in which unit. Made by `load-config.ts`, then frozen. */

import type { TrustedPeers } from '../../shared/address-range.ts';
import type { Durability } from '../../shared/files.ts';

/** Where the public port listens. A host of `::` takes IPv4 as well; port 0 is any free port. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Which text issuers sign as the path: `relative` to the base path, `full` with it, or `either`. */
export type SignedPath = 'relative' | 'full' | 'either';

export type LogLevel = 'panic' | 'fatal' | 'error' | 'warning' | 'info' | 'debug' | 'trace';

/** Values of the `reason` label of `hmac_config_warnings`. */
export type ConfigWarningReason = 'placeholder_secret' | 'short_secret' | 'metrics_exposed' | 'no_expiry' | 'ttl_short';

/** Events that can be told to a webhook's receiver. */
export const webhookEvents = ['upload.completed', 'file.deleted', 'file.expired', 'storage.degraded'] as const;
export type WebhookEvent = (typeof webhookEvents)[number];

export interface WebhookSettings {
  readonly url: string;
  readonly secret: string;
  readonly events: readonly WebhookEvent[];
  /** Messages that may wait. */
  readonly queueSize: number;
  /** Holds what waits, also while the server does not run. Absolute, beside the store. */
  readonly queueFolder: string;
}

/** Something that starts, but that an operator should know. */
export interface ConfigWarning {
  /** null: worth a log line, not a metric. */
  readonly reason: ConfigWarningReason | null;
  readonly message: string;
}

/** A certificate and its key, in PEM files that were there and fitted each other. */
export interface TlsConfig {
  /** Absolute. */
  readonly certFile: string;
  readonly keyFile: string;
  /** Of the contents of both: a certificate that is replaced keeps its name. */
  readonly fingerprint: string;
  /** End of the certificate's validity, in milliseconds since the epoch. */
  readonly expiresMs: number;
  readonly isKeyWorldReadable: boolean;
}

export interface Config {
  readonly listen: ListenAddress;
  /** null: without TLS. */
  readonly tls: TlsConfig | null;
  /** Permissions of the unix socket. */
  readonly socketMode: number;
  /** Verifies signatures. `generated`: made by us and kept in a file, because none was configured. */
  readonly secret: string;
  readonly secretSource: 'config' | 'environment' | 'secret-file' | 'generated';
  readonly previousSecrets: readonly string[];
  /** Enables signed DELETE; null: off. */
  readonly deleteSecret: string | null;
  /** Absolute. */
  readonly storeDir: string;
  /** URL path of UploadSubDir with both slashes: `/files/`, or `/`. */
  readonly basePath: string;
  readonly logLevel: LogLevel;
  /** Absolute; null: standard output only. */
  readonly logFile: string | null;
  /** Operator port; null: not opened. */
  readonly metrics: { readonly host: string; readonly port: number } | null;
  /** Age at which stored files expire; null: never. */
  readonly fileTtlSeconds: number | null;
  readonly resumableUploadsEnabled: boolean;
  readonly resumableDownloadsEnabled: boolean;
  readonly enableVersioning: boolean;
  readonly maxVersions: number;
  /** Unit in which bodies are handed to storage; ChunkSize, or 1 MiB with ChunkingEnabled = false. */
  readonly chunkBytes: number;
  /** Lower case, without the dot; `''` stands for names without an extension. null: all are allowed. */
  readonly allowedExtensions: ReadonlySet<string> | null;
  readonly signedPath: SignedPath;
  readonly typeByExtension: boolean;
  readonly acceptV3: boolean;
  /** null: no limit. */
  readonly maxUploadBytes: number | null;
  /** What one uploader may have in the store; null: no limit. */
  readonly ownerQuotaBytes: number | null;
  readonly durability: Durability;
  readonly minFreeBytes: number;
  readonly minFreeInodes: number;
  readonly storeDigest: boolean;
  readonly shutdownTimeoutMs: number;
  /** `https://files.example.org`, for absolute Location values; null: path-only. */
  readonly publicOrigin: string | null;
  /** What one client may do at once; null: no limit. */
  readonly maxPerAddress: { readonly requests: number | null; readonly uploads: number | null };
  /** Both ports are shared with a successor or predecessor. */
  readonly isPortShared: boolean;
  /** Where a trusted nginx finds the store, with both slashes; null: it sends no file itself. */
  readonly accelRedirectPrefix: string | null;
  /** Whose word about client addresses is taken. */
  readonly trustedProxies: TrustedPeers;
  /** Uploads in flight above which new ones are answered 503. */
  readonly maxConcurrentUploads: number;
  /** Unfinished uploads above which none is begun that can be gone on with. */
  readonly maxOpenUploads: number;
  /** The same for each uploader that is known. */
  readonly maxOpenUploadsPerOwner: number;
  /** Open client connections above which new ones are closed at once. */
  readonly maxConnections: number;
  /** Threads that serve clients; 1: the main thread does. */
  readonly listeners: number;
  /** Worker threads that receive uploads; at least one for each listener. */
  readonly uploadLanes: number;
  /** Worker threads that read files for downloads; at least one for each listener. */
  readonly downloadLanes: number;
  /** null: off. */
  readonly webhook: WebhookSettings | null;
  readonly warnings: readonly ConfigWarning[];
}

/** A configuration as read: `secret` is null when none is configured anywhere, until `resolveSecret` finds or makes one. */
export type UnresolvedConfig = Omit<Config, 'secret'> & { readonly secret: string | null };
