/** CPU time of the calling thread, from Linux' scheduler statistics: exact, and separate for each thread. */

import { readFileSync } from 'node:fs';
import { nowMs } from '../clock.ts';

export interface ThreadUsage {
  /** Monotonic time of this reading. */
  readonly atMs: number;
  /** CPU time used. */
  readonly cpuMs: number;
}

/** Null where the kernel does not tell. */
export function readThreadUsage(): ThreadUsage | null {
  try {
    const [ran] = readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ');
    return { atMs: nowMs(), cpuMs: Number(ran) / 1e6 };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
