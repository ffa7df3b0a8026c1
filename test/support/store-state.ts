/** What lies on disk: tests compare it before and after a request that must leave nothing. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** For a loaded machine: nobody waits longer than it takes. */
const TIMEOUT_MS = 10_000;
const POLL_MS = 2;

const MARKS: ReadonlySet<string> = new Set(['.hfs/dirty', '.hfs/format.json', '.hfs/lock']);

interface Store {
  readonly storeDir: string;
  stagingFiles(): readonly string[];
}

/**
 * Every file and folder below a folder, sorted, with what it is: `a/`, `a/file`, `a/link@`, `a/fifo|`. Links are not
 * followed, which the recursive `readdirSync` of newer versions of Node does.
 */
export function treeOf(folder: string): readonly string[] {
  return walk(folder, '').toSorted();
}

function walk(folder: string, prefix: string): readonly string[] {
  return readdirSync(join(folder, prefix), { withFileTypes: true }).flatMap((entry) => {
    const path = prefix + entry.name;
    if (entry.isDirectory()) return [`${path}/`, ...walk(folder, `${path}/`)];
    if (entry.isSymbolicLink()) return [`${path}@`];
    return [entry.isFile() ? path : `${path}|`];
  });
}

/** What clients have uploaded: everything outside the server's own tree. */
export function publicTreeOf(folder: string): readonly string[] {
  return treeOf(folder).filter((path) => !path.startsWith('.hfs/'));
}

/** Looks until the condition holds. For states of the disk, which no event announces. Rejects after ten seconds. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = TIMEOUT_MS,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await delay(POLL_MS);
  }
}

/** The whole store once no unfinished upload is left in it, without the marks of being in use. */
export async function settledTree(store: Store): Promise<readonly string[]> {
  await eventually(() => store.stagingFiles().length === 0, 'no staging files');
  return treeWithoutMarks(store.storeDir);
}

/** Everything but what lies in every store that is in use. */
export function treeWithoutMarks(folder: string): readonly string[] {
  return treeOf(folder).filter((path) => !MARKS.has(path));
}
