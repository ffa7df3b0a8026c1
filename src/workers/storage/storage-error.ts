/** Turns system errors into the closed set of storage errors. The one place that knows error numbers. */

import type { StorageErrorCode, StorageFailure } from '../../shared/storage-error.ts';

export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code: StorageErrorCode;

  constructor(code: StorageErrorCode, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.code = code;
  }
}

const codes: ReadonlyMap<string, StorageErrorCode> = new Map([
  ['ENOSPC', 'no-space'],
  ['EDQUOT', 'no-space'],
  ['EFBIG', 'too-large'],
  ['EROFS', 'store-unavailable'],
  ['ESTALE', 'store-unavailable'],
  // What a key names is looked for with care: otherwise it is the store's own folders that are missing.
  ['ENOENT', 'store-unavailable'],
  ['EACCES', 'denied'],
  ['EPERM', 'denied'],
  ['EXDEV', 'denied'],
  ['ENAMETOOLONG', 'path-conflict'],
  ['EMLINK', 'path-conflict'],
  ['EMFILE', 'too-many-files'],
  ['ENFILE', 'too-many-files'],
]);

/** What libuv has no name for is `UNKNOWN` in Node, and only Linux's own number tells what it is. */
const unnamed: ReadonlyMap<unknown, string> = new Map([
  [-116, 'ESTALE'],
  [-122, 'EDQUOT'],
]);

/** The `code` of a system error (`ENOENT`); null for anything else. */
export function errorNumberOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  if (error.code === 'UNKNOWN' && 'errno' in error) return unnamed.get(error.errno) ?? error.code;
  return typeof error.code === 'string' ? error.code : null;
}

/** Names the failure of the system call `call`; an unknown error number is `io`. */
export function toStorageError(error: unknown, call: string): StorageError {
  if (error instanceof StorageError) return error;
  const number = errorNumberOf(error);
  return new StorageError(codes.get(number ?? '') ?? 'io', `${number ?? String(error)} ${call}`, { cause: error });
}

/**
 * Names the failure of a sync or a close, `call`. Bytes that were taken before are lost by now, and maybe not only those
 * of this upload: whatever the number says, the store is in doubt.
 */
export function toLossError(error: unknown, call: string): StorageError {
  const { code, message } = toStorageError(error, call);
  return new StorageError(code === 'store-unavailable' ? code : 'io', message, { cause: error });
}

/** Runs a system call and names its failure. */
export function attempt<T>(call: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw toStorageError(error, call);
  }
}

/** The plain data that crosses the thread boundary. */
export function toFailure(error: unknown): StorageFailure {
  const { code, message } = toStorageError(error, 'job');
  return { code, detail: message };
}
