/** CPU time and memory of processes from Linux' /proc. Processes that end meanwhile count as far as they were seen. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** Clock ticks per second in /proc: 100 on every Linux architecture. */
const TICK_MS = 10;

export interface ProcessUsage {
  /** User and system time of all processes since they started. */
  readonly cpuMs: number;
  readonly residentBytes: number;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // The process is gone, or this is no Linux.
    return null;
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // The process is gone, or this is no Linux.
    return [];
  }
}

/** Fields of a stat file behind the name, which stands in parentheses and may hold spaces: the first is the state. */
function statFields(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** The process and all its descendants. */
export function processTree(root: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of list('/proc')) {
    const stat = /^\d+$/.test(entry) ? read(`/proc/${entry}/stat`) : null;
    if (stat !== null) parents.set(Number(entry), Number(statFields(stat)[1]));
  }
  const family = new Set([root]);
  for (let size = 0; size !== family.size; ) {
    size = family.size;
    for (const [pid, parent] of parents) if (family.has(parent)) family.add(pid);
  }
  return [...family];
}

/** utime + stime of a stat file, in milliseconds. */
function statCpuMs(stat: string): number {
  const fields = statFields(stat);
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

function statusBytes(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(read(`/proc/${pid}/status`) ?? '');
  return Number(found?.[1] ?? 0) * 1024;
}

/** Sum over the processes; null when none can be seen. Shared pages count once for each process. */
export function readUsage(pids: readonly number[]): ProcessUsage | null {
  const stats = pids.flatMap((pid) => read(`/proc/${pid}/stat`) ?? []);
  if (stats.length === 0) return null;
  return {
    cpuMs: stats.reduce((sum, stat) => sum + statCpuMs(stat), 0),
    residentBytes: pids.reduce((sum, pid) => sum + statusBytes(pid, 'VmRSS'), 0),
  };
}

/** CPU time in milliseconds of each thread of the processes, by thread id. */
export function readThreads(pids: readonly number[]): Map<number, number> {
  const times = new Map<number, number>();
  for (const pid of pids) {
    for (const thread of list(`/proc/${pid}/task`)) {
      const stat = read(`/proc/${pid}/task/${thread}/stat`);
      if (stat !== null) times.set(Number(thread), statCpuMs(stat));
    }
  }
  return times;
}

/** Begins the peak of resident memory anew. Not allowed for other users' processes: then the peak is that since their start. */
export function resetPeaks(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      writeFileSync(`/proc/${pid}/clear_refs`, '5');
    } catch {
      // Then the peak includes what came before: still true, less sharp.
    }
  }
}

/** Peak resident memory in bytes since `resetPeaks`, summed over the processes. */
export function readPeak(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + statusBytes(pid, 'VmHWM'), 0);
}
