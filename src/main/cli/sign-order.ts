/** What `sign` is asked for: its options and arguments, checked before the configuration is read. */

import type { FileKey } from '../../shared/files.ts';
import { parseDuration } from '../config/duration.ts';
import { type CommandInput, UsageError } from './command.ts';
import { type SlotProtocol, slotProtocols } from './slot-url.ts';
import { readKey } from './stored-path.ts';

/** Names for `--protocol`. */
export const signProtocols = [...slotProtocols, 'jwt'] as const;
type SignProtocol = (typeof signProtocols)[number];

export type SignOrder =
  | {
      readonly kind: 'url';
      readonly key: FileKey;
      readonly protocol: SlotProtocol;
      readonly sizeBytes: string;
      /** undefined: the extension's. */
      readonly type: string | undefined;
      /** Unix time; v3 only. */
      readonly expiresAtSeconds: number;
    }
  | {
      readonly kind: 'token';
      readonly key: FileKey;
      readonly sizeBytes: string;
      readonly type: string | undefined;
      readonly expiresAtSeconds: number;
      /** When the file expires; null: as FileTTL says. */
      readonly fileExpiresAtSeconds: number | null;
      readonly owner: string | null;
    }
  | { readonly kind: 'deletion'; readonly key: FileKey };

const DEFAULT_EXPIRES = '1h';

/** @throws {UsageError} */
export function readOrder({ options, positionals }: CommandInput, nowMs: number): SignOrder {
  const [path = '', size] = positionals;
  const key = readKey(path);
  if (options.has('delete')) return readDeletion(key, options, size);
  if (size === undefined) throw new UsageError('sign needs SIZE');
  const sizeBytes = readSize(size);
  const protocol = readProtocol(options.get('protocol'));
  const expires = options.get('expires');
  const type = options.get('type');
  if (protocol === 'jwt') {
    if (!key.includes('/')) throw new UsageError('a token is for a PATH with a folder, such as SLOT/FILE');
    if (!Number.isSafeInteger(Number(sizeBytes))) throw new UsageError('a token has no SIZE of more than 2^53 bytes');
    const fileExpires = options.get('file-expires');
    return {
      kind: 'token',
      key,
      sizeBytes,
      type,
      expiresAtSeconds: readTime('--expires', expires ?? DEFAULT_EXPIRES, nowMs),
      fileExpiresAtSeconds: fileExpires === undefined ? null : readTime('--file-expires', fileExpires, nowMs),
      owner: options.get('owner') ?? null,
    };
  }
  refuseForOthers(options, ['owner', 'file-expires'], 'belongs to --protocol jwt');
  if (expires !== undefined && protocol !== 'v3') throw new UsageError('only --protocol v3 and jwt expire');
  const expiresAtSeconds = readTime('--expires', expires ?? DEFAULT_EXPIRES, nowMs);
  return { kind: 'url', key, protocol, sizeBytes, type, expiresAtSeconds };
}

function readDeletion(key: FileKey, options: CommandInput['options'], size: string | undefined): SignOrder {
  if (size !== undefined) throw new UsageError('a deletion has no SIZE');
  refuseForOthers(options, ['type', 'protocol', 'expires', 'owner', 'file-expires'], 'does not belong to --delete');
  return { kind: 'deletion', key };
}

function refuseForOthers(options: CommandInput['options'], names: readonly string[], reason: string): void {
  const given = names.find((name) => options.has(name));
  if (given !== undefined) throw new UsageError(`--${given} ${reason}`);
}

function readSize(size: string): string {
  if (/^(?:0|[1-9]\d{0,18})$/.test(size)) return size;
  throw new UsageError('SIZE is the number of bytes in digits, such as $(stat -c %s FILE)');
}

function readProtocol(text: string | undefined): SignProtocol {
  if (text === undefined) return 'v2';
  const protocol = signProtocols.find((candidate) => candidate === text);
  if (protocol === undefined) throw new UsageError(`--protocol is one of ${signProtocols.join(', ')}`);
  return protocol;
}

/** Unix time, from such a time or from a duration that begins now. */
function readTime(option: string, wanted: string, nowMs: number): number {
  const nowSeconds = Math.floor(nowMs / 1_000);
  const duration = parseDuration(wanted);
  const seconds = /^\d{9,15}$/.test(wanted) ? Number(wanted) : nowSeconds + (duration.ok ? duration.value : Number.NaN);
  if (Number.isNaN(seconds)) throw new UsageError(`${option} is a duration such as 5m, or a unix time in seconds`);
  if (seconds <= nowSeconds) throw new UsageError(`${option} is not in the future`);
  return seconds;
}
