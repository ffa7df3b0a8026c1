/**
 * Lets every call that one operation makes on the store fail once, one after the other. Whatever fails: no success
 * without the file, nothing left, the process lives, and the store is degraded exactly when it was promised.
 */

import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerProcess } from '../../support/server-process.ts';
import { eventually } from '../../support/store-state.ts';
import type { CrashPoint } from './crash-points.ts';
import { judgeFailure } from './failure-judge.ts';
import { leftovers, strayVersions } from './leftovers.ts';
import type { Operation } from './operation.ts';
import { startSettled } from './settled-server.ts';
import { type CallKind, type StoreCall, StoreFaults, type Strike } from './store-faults.ts';

const MAX_POINTS = 400;
const EVERY_KIND: readonly CallKind[] = ['changes', 'syncs', 'reads', 'closes'];

export interface FailureSite {
  readonly operation: Operation;
  readonly error: Extract<Strike, { type: 'fail' }>['error'];
}

/** The last points are the operation without a failure, and a start after all. */
export async function failAtEveryCall(site: FailureSite): Promise<readonly CrashPoint[]> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'hmac-failures-')));
  const faults = new StoreFaults(join(folder, 'store'));
  const run = new FailureRun(site, join(folder, 'store'), faults);
  try {
    return await run.points();
  } finally {
    await run.stop();
    faults.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

class FailureRun {
  private readonly site: FailureSite;
  private readonly storeDir: string;
  private readonly faults: StoreFaults;
  /** What earlier points may leave to the next start. */
  private readonly untidy = new Set<string>();
  private server: ServerProcess | null = null;

  constructor(site: FailureSite, storeDir: string, faults: StoreFaults) {
    this.site = site;
    this.storeDir = storeDir;
    this.faults = faults;
  }

  async points(): Promise<readonly CrashPoint[]> {
    const points: CrashPoint[] = [];
    for (let number = 1; number <= MAX_POINTS; number += 1) {
      const point = await this.failAt(number);
      points.push(point);
      if (point.call === null) return [...points, await this.tidied()];
    }
    throw new Error(`${this.site.operation.name} makes more than ${MAX_POINTS} calls on the store`);
  }

  async stop(): Promise<void> {
    await this.server?.stop();
    this.server = null;
  }

  private async running(): Promise<ServerProcess> {
    const { storeDir } = this;
    const { environment } = this.faults;
    const { settings } = this.site.operation;
    this.server ??= await startSettled({ storeDir, environment, settings: { MinFreeInodes: 0, ...settings } });
    return this.server;
  }

  private async failAt(number: number): Promise<CrashPoint> {
    const { operation, error } = this.site;
    const server = await this.running();
    const key = keyOf(number);
    await operation.prepare(server, key);
    this.faults.arm({ strike: { type: 'fail', error }, first: number, kinds: EVERY_KIND });
    const answer = await operation.run(server, key);
    const calls = this.faults.calls();
    const struck = calls.find(({ isStruck }) => isStruck) ?? null;
    this.faults.disarm();
    const isDegraded = (await fetch(`${server.operatorOrigin}/readyz`)).status === 503;
    const verdict = await judgeFailure(server, { operation, key, answer, error, struck, isDegraded });
    for (const finding of verdict.leftToRecovery) this.untidy.add(finding);
    const fresh = verdict.findings.filter((finding) => !this.untidy.has(finding));
    const findings = [...fresh, ...syncedAgain(calls.slice(number - 1))];
    // The store takes no writes for a while, and another server knows nothing of it.
    if (isDegraded) findings.push(...(await this.restarted(key)));
    return { call: struck === null ? null : `${struck.name} ${struck.path}`, answer, findings };
  }

  private async restarted(key: string): Promise<readonly string[]> {
    await this.stop();
    this.untidy.clear();
    const { operation } = this.site;
    const status = await operation.run(await this.running(), key);
    const isDead = status !== operation.again.before && status !== operation.again.after;
    return [...leftovers(this.storeDir), ...(isDead ? [`the slot is dead: ${status} after a restart`] : [])];
  }

  /** In the end, a start leaves nothing of all that. */
  private async tidied(): Promise<CrashPoint> {
    await this.stop();
    const server = await this.running();
    await eventually(() => strayVersions(server.storeDir).length === 0, 'no stray versions');
    return { call: null, answer: null, findings: leftovers(this.storeDir) };
  }
}

function keyOf(number: number): string {
  return `point-${number}/folder/file.bin`;
}

/** The kernel forgets what it could not write: a second sync of the same file would succeed and mean nothing. */
function syncedAgain([failed, ...later]: readonly StoreCall[]): readonly string[] {
  if (failed === undefined || !/^f(data)?sync$/.test(failed.name)) return [];
  const again = later.filter(({ name, path }) => /^f(data)?sync$/.test(name) && path === failed.path);
  return again.map(({ name, path }) => `synced again after a failed sync: ${name} ${path}`);
}
