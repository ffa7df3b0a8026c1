/**
 * What a run must not leave behind: processes and temporary folders. Everything started or made is registered here first, and is
 * gone on every way out: normal end, exception, signal.
 */

import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export class Leftovers {
  private readonly children = new Set<ChildProcess>();
  private readonly removals = new Map<string, () => void>();

  /** Makes a folder with a fresh name below `parent`; removed with all that is in it. */
  makeFolder(parent: string): string {
    const folder = mkdtempSync(join(parent, 'hfs-bench-'));
    this.removals.set(folder, () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
    return folder;
  }

  /** Removes a folder of `makeFolder` now. */
  removeFolder(folder: string): void {
    this.removals.get(folder)?.();
    this.removals.delete(folder);
  }

  /** Something else that must be undone, once, by a synchronous function. */
  add(name: string, undo: () => void): void {
    this.removals.set(name, undo);
  }

  /** Watches over a child that leads its own process group. */
  watch(child: ChildProcess): void {
    this.children.add(child);
    child.once('exit', () => this.children.delete(child));
  }

  /** Kills and removes everything, without waiting: for the last moment of the process. */
  clear(): void {
    for (const child of this.children) killGroup(child, 'SIGKILL');
    this.children.clear();
    for (const undo of this.removals.values()) undo();
    this.removals.clear();
  }
}

/** Signals a child and all its descendants of the same process group. */
export function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
