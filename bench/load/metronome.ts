/**
 * A thread that does nothing but wake another one on time: timers of the event loop are a millisecond late on average, which would be
 * most of the latency of a quick answer. Sleeps in `Atomics.wait`, so it costs next to nothing.
 */

import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { nowMs } from '../clock.ts';

/** More than this many wake-ups per second cost more than they are worth. */
const SHORTEST_MS = 0.5;

interface Beat {
  readonly firstMs: number;
  readonly intervalMs: number;
}

/** Calls `onBeat` at `firstMs` and every `intervalMs` (at least 0.5 ms) from then on, until the returned function is called. */
export function startMetronome(beat: Beat, onBeat: () => void): () => void {
  const worker = new Worker(new URL(import.meta.url), { workerData: { metronome: beat } });
  worker.on('message', onBeat);
  return () => {
    worker.removeAllListeners('message');
    void worker.terminate();
  };
}

function beatForEver({ firstMs, intervalMs }: Beat): never {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  const stepMs = Math.max(SHORTEST_MS, intervalMs);
  for (let dueMs = firstMs; ; ) {
    const waitMs = dueMs - nowMs();
    if (waitMs > 0) Atomics.wait(sleeper, 0, 0, waitMs);
    parentPort?.postMessage(null);
    dueMs += stepMs * Math.max(1, Math.ceil((nowMs() - dueMs) / stepMs));
  }
}

const given: unknown = workerData;
if (!isMainThread && typeof given === 'object' && given !== null && 'metronome' in given) {
  beatForEver(given.metronome as Beat);
}
