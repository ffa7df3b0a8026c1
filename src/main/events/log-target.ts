/**
 * Opens what log lines are appended to. Whatever stands behind standard output, a write to it returns at once: a thread
 * that blocks in a write would keep the process from exiting.
 */

import { close, constants, open } from 'node:fs';
import { type FileHandle, open as openHandle, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { LogTarget } from './batch-writer.ts';

const { O_APPEND, O_CREAT, O_EXCL, O_NOCTTY, O_NONBLOCK, O_WRONLY } = constants;
const STANDARD_OUTPUT = 1;
const STANDARD_OUTPUT_PATH = '/proc/self/fd/1';
/** A path is all that is needed to download a file, so a log is as confidential as the store. */
const LOG_MODE = 0o640;

const openDescriptor = promisify(open);
const closeDescriptor = promisify(close);

/** Opens a log file for appending; a new one gets mode 0640 whatever the umask. Rejects with the system's error. */
export async function openLogFile(path: string): Promise<LogTarget> {
  const handle = await openOrCreate(path);
  return { fd: handle.fd, close: () => handle.close() };
}

/** Opens standard output so that no write to it ever waits for its reader. */
export async function openStandardOutput(): Promise<LogTarget> {
  const shared: LogTarget = { fd: STANDARD_OUTPUT, close: async () => {} };
  const info = await stat(STANDARD_OUTPUT_PATH).catch(() => null);
  // A regular file never blocks, and a second opening of it would not share the write position with standard error.
  if (info === null || info.isFile()) return shared;
  try {
    // An opening of our own: whether writes to the inherited one wait is up to every program that shares it.
    const fd = await openDescriptor(STANDARD_OUTPUT_PATH, O_WRONLY | O_NONBLOCK | O_NOCTTY);
    return { fd, close: () => closeDescriptor(fd) };
  } catch {
    // A socket (systemd's journal), or a pipe made by another user: Node sets O_NONBLOCK when it opens its own stream.
    void process.stdout;
    return shared;
  }
}

async function openOrCreate(path: string): Promise<FileHandle> {
  // O_NONBLOCK: a FIFO without a reader is an error, not a wait.
  const flags = O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY;
  try {
    const handle = await openHandle(path, flags | O_CREAT | O_EXCL, LOG_MODE);
    await handle.chmod(LOG_MODE);
    return handle;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    return openHandle(path, flags | O_CREAT, LOG_MODE);
  }
}
