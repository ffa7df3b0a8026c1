/**
 * Crashes a server at every point of one operation at which a crash leaves something else, one after the other, and judges
 * each time what the next server finds. The store goes on from point to point, as a real one does; each point has its
 * own key.
 */

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { ServerProcess, TomlSettings } from '../../support/server-process.ts';
import { publicTreeOf } from '../../support/store-state.ts';
import { type Crash, crashFrom, type Struck, struckAmong } from './crash.ts';
import { type FileSystemKind, LoopFileSystem } from './loop-file-system.ts';
import type { Operation } from './operation.ts';
import { startSettled } from './settled-server.ts';
import { StoreFaults } from './store-faults.ts';
import { type Crashed, judge } from './store-judge.ts';

/** An operation that has more points than this is one that never ends. */
const MAX_POINTS = 200;

export interface CrashSite {
  readonly operation: Operation;
  readonly fileSystem: FileSystemKind;
  readonly crash: Crash;
  readonly settings?: TomlSettings;
}

export interface CrashPoint {
  /** The call that was struck; null: there was none left. */
  readonly call: string | null;
  readonly answer: number | null;
  readonly findings: readonly string[];
}

/** The last point is the crash after the answer, when all calls have been made. */
export async function crashAtEveryPoint(site: CrashSite): Promise<readonly CrashPoint[]> {
  const fileSystem = LoopFileSystem.make(site.fileSystem);
  const faults = new StoreFaults(fileSystem.storeDir);
  const run = new CrashRun(site, fileSystem, faults);
  try {
    const points = await run.points();
    await run.stop();
    fileSystem.check();
    return points;
  } finally {
    await run.stop();
    faults.remove();
    fileSystem.remove();
  }
}

class CrashRun {
  private readonly site: CrashSite;
  private readonly fileSystem: LoopFileSystem;
  private readonly faults: StoreFaults;
  private readonly known = new Set<string>();
  private server: ServerProcess | null = null;

  constructor(site: CrashSite, fileSystem: LoopFileSystem, faults: StoreFaults) {
    this.site = site;
    this.fileSystem = fileSystem;
    this.faults = faults;
  }

  async points(): Promise<readonly CrashPoint[]> {
    const points: CrashPoint[] = [];
    let server = await this.start();
    let from = 1;
    for (let number = 1; number <= MAX_POINTS; number += 1) {
      const { crashed, struck } = await this.crashAt(server, keyOf(number), from);
      const { call, next, unexpected } = struck;
      server = await this.start();
      const findings = [...unexpected, ...(await judge(server, crashed)), ...this.strangers(number)];
      points.push({ call, answer: crashed.answer, findings: this.fresh(findings) });
      if (call === null) return points;
      from = next;
    }
    throw new Error(`${this.site.operation.name} has more than ${MAX_POINTS} points`);
  }

  async stop(): Promise<void> {
    this.server?.kill('SIGKILL');
    await this.server?.stop();
    this.server = null;
  }

  /** Files that nobody has uploaded up to this point. */
  private strangers(number: number): readonly string[] {
    const keys = new Set(Array.from({ length: number }, (_, index) => keyOf(index + 1)));
    const files = publicTreeOf(this.fileSystem.storeDir).filter((path) => !path.endsWith('/'));
    return files.filter((path) => !keys.has(path)).map((path) => `nobody has uploaded ${path}`);
  }

  /** What an earlier point has left behind is its finding alone. */
  private fresh(findings: readonly string[]): readonly string[] {
    const fresh = [...new Set(findings)].filter((finding) => !this.known.has(finding));
    for (const finding of fresh) this.known.add(finding);
    return fresh;
  }

  private async start(): Promise<ServerProcess> {
    const { operation, settings } = this.site;
    this.server = await startSettled({
      storeDir: this.fileSystem.storeDir,
      environment: this.faults.environment,
      settings: { ...operation.settings, ...settings },
    });
    return this.server;
  }

  /** Runs the operation up to its first point from that call on. */
  private async crashAt(
    server: ServerProcess,
    key: string,
    from: number,
  ): Promise<{ readonly crashed: Crashed; readonly struck: Struck }> {
    const { operation, crash } = this.site;
    await operation.prepare(server, key);
    this.faults.arm(crashFrom(crash, from));
    const answer = await operation.run(server, key);
    const struck = struckAmong(await this.faults.quiet());
    if (struck.call !== null) await server.exited;
    else if (answer !== operation.acknowledged) throw new Error(`${operation.name} ended with ${answer}, and no crash`);
    else if (crash === 'power-cut') this.fileSystem.cutPower();
    await this.stop();
    this.faults.disarm();
    if (crash === 'power-cut') this.fileSystem.remount();
    return { crashed: { operation, key, answer }, struck };
  }
}

function keyOf(number: number): string {
  return `point-${number}/folder/file.bin`;
}

/** Fails with every bad point, and tells the summary what was counted. */
export function assertNoneBad(t: TestContext, what: string, points: readonly CrashPoint[]): void {
  const bad = points.filter(({ findings }) => findings.length > 0);
  t.diagnostic(`${what}: ${points.length} points, ${bad.length} bad`);
  assert.deepEqual(bad, []);
}
