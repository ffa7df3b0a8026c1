/**
 * Preloaded into every thread of a server (`NODE_OPTIONS=--import`): makes one listener thread fail, at its start, or
 * when a file appears. A bug of ours, as far as the server can tell.
 */

import { existsSync, rmSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { isMainThread, workerData } from 'node:worker_threads';

const POLL_MS = 10;

const { FAILING_LISTENER: listener, FAILING_FILE: file } = process.env;

/** Environment of a server whose listener fails: when `atFile` appears, which is removed then, or at once. */
export function failingListener(plane: number, atFile: string | null): Readonly<Record<string, string>> {
  const preload = `--import=${pathToFileURL(import.meta.filename)}`;
  return {
    NODE_OPTIONS: preload,
    FAILING_LISTENER: String(plane),
    ...(atFile === null ? {} : { FAILING_FILE: atFile }),
  };
}

function failAt(path: string): void {
  const timer = setInterval(() => {
    if (!existsSync(path)) return;
    clearInterval(timer);
    rmSync(path);
    throw new Error('a bug in a listener');
  }, POLL_MS);
}

if (!isMainThread && listener !== undefined && workerData?.plane === Number(listener)) {
  if (file === undefined) throw new Error('a listener that cannot start');
  failAt(file);
}
