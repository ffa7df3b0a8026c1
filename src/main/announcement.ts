/** What people read when the server starts: what is in effect, what is unwise, and a first thing to try. */

import { randomUUID } from 'node:crypto';
import type { FileKey } from '../shared/files.ts';
import { createSlotUrl, localOrigin } from './cli/slot-url.ts';
import type { Config } from './config/config.ts';
import { exampleFile } from './config/example-file.ts';
import { secretFileOf } from './config/secret-file.ts';
import type { ServerLogger } from './events/logger.ts';
import type { Listening } from './front-end.ts';

const DAY_MS = 86_400_000;

const ROOT_WARNING = 'The server runs as root, which it does not need: a mistake in it would be one of the whole host';

export interface WarningParts {
  readonly config: Config;
  readonly logger: Pick<ServerLogger, 'log'>;
  readonly isRoot: boolean;
}

/** Logs what an operator should know; a secret that everybody knows is said loudly, and again every day. */
export function announceWarnings({ config, logger, isRoot }: WarningParts): void {
  if (isRoot) logger.log('warning', ROOT_WARNING);
  for (const { message } of config.warnings) logger.log('warning', message);
  const loud = config.warnings.filter(({ reason }) => reason === 'placeholder_secret' || reason === 'short_secret');
  if (loud.length === 0) return;
  const line = '*'.repeat(78);
  process.stderr.write(`${line}\n${loud.map(({ message }) => `* ${message}\n`).join('')}${line}\n`);
  setInterval(() => {
    for (const { message } of loud) logger.log('warning', message);
  }, DAY_MS).unref();
}

export interface AnnouncementParts {
  readonly config: Config;
  readonly version: string;
  readonly listen: Listening;
  readonly logger: ServerLogger;
}

/** One line with everything that decides how the server behaves; and, with a generated secret, how to try it. */
export function announce({ config, version, listen, logger }: AnnouncementParts): void {
  logger.log('info', 'HMAC File Server is ready', {
    version,
    listen: listen.text,
    base_path: config.basePath,
    store: config.storeDir,
    secret_source: config.secretSource,
    durability: config.durability,
    max_upload_bytes: config.maxUploadBytes,
    max_concurrent_uploads: config.maxConcurrentUploads,
    listeners: config.listeners,
    upload_lanes: config.uploadLanes,
    download_lanes: config.downloadLanes,
  });
  if (config.secretSource === 'generated') process.stderr.write(firstSteps(config, listen));
}

/** Two command lines that work as they stand: the size of the file is signed. */
function firstSteps(config: Config, { address }: Listening): string {
  const kept = `No Secret is set: one was generated and is kept in ${secretFileOf(config.storeDir)}\n`;
  const origin = config.publicOrigin ?? localOrigin(address, config.tls !== null);
  const file = exampleFile();
  if (origin === null || file === null) return kept;
  const key = `${randomUUID()}/${file.name}` as FileKey;
  const type = 'text/plain';
  const url = createSlotUrl({
    origin,
    config,
    key,
    sizeBytes: String(file.sizeBytes),
    type,
    protocol: 'v',
    expiresAtSeconds: 0,
  });
  const [fileUrl = url] = url.split('?');
  return `${kept}Try it:\n  curl -T '${file.path}' '${url}'\n  curl '${fileUrl}'\n`;
}
