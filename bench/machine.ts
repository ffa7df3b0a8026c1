/** What this machine is, how busy it is, and what file system a folder lies on. */

import { execFile } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { availableParallelism, cpus, release, type as systemName, totalmem } from 'node:os';
import { promisify } from 'node:util';
import type { Machine } from './result.ts';

const run = promisify(execFile);

export function describeMachine(): Machine {
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    memoryBytes: totalmem(),
    system: `${systemName()} ${release()}`,
    node: process.version,
  };
}

/** CPU time that all processes of the machine have used since it started, in milliseconds. */
export function machineBusyMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}

/** Magic numbers of statfs(2). */
const FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x01021994, 'tmpfs'],
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x794c7630, 'overlayfs'],
  [0x6969, 'nfs'],
  [0x2fc12fc1, 'zfs'],
]);

export function fileSystemOf(folder: string): string {
  const type = Number(statfsSync(folder).type);
  return FILE_SYSTEMS.get(type) ?? `file system 0x${type.toString(16)}`;
}

/**
 * Waits until the deletions of a run have reached the disk: ext4 creates files many times slower while it still works on them, and
 * the next run would pay.
 */
export async function settle(folder: string): Promise<void> {
  if (fileSystemOf(folder) === 'tmpfs') return;
  try {
    await run('sync', ['-f', folder]);
  } catch {
    // Not every system has coreutils' sync; the run goes on unsettled.
  }
}
