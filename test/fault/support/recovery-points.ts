/**
 * Crashes a server at every point of its start on a store full of what earlier crashes left. What the next recovery
 * makes of it must be, to the byte, what an undisturbed start makes of it, and that is judged over HTTP. The
 * next recovery runs in this process: two starts of a server for each point would take minutes.
 */

import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { prepareStore } from '../../../src/workers/storage/prepare-store.ts';
import { recoverStore } from '../../../src/workers/storage/recover-store.ts';
import { sha256 } from '../../support/paced-transfer.ts';
import type { TomlSettings } from '../../support/server-process.ts';
import { treeOf } from '../../support/store-state.ts';
import type { Crash } from './crash.ts';
import type { CrashPoint } from './crash-points.ts';
import { crashStart, restoreStore } from './crash-start.ts';
import { command } from './host.ts';
import { type FileSystemKind, LoopFileSystem } from './loop-file-system.ts';
import type { Operation } from './operation.ts';
import { startSettled } from './settled-server.ts';
import { StoreFaults } from './store-faults.ts';
import { type Crashed, judge } from './store-judge.ts';

/** A start that has more points than this is one that never ends. */
const MAX_POINTS = 300;

export interface RecoverySite {
  readonly fileSystem: FileSystemKind;
  readonly crash: Crash;
  readonly settings: TomlSettings;
  /** What was being done when the store was left: each operation was broken off before its first call of that name. */
  readonly brokenOff: readonly { readonly operation: Operation; readonly before: string }[];
}

/** The last point is a start that was not broken off. */
export async function crashDuringRecovery(site: RecoverySite): Promise<readonly CrashPoint[]> {
  const fileSystem = LoopFileSystem.make(site.fileSystem);
  const faults = new StoreFaults(fileSystem.storeDir);
  const run = new RecoveryRun(site, fileSystem, faults);
  try {
    await run.leaveDebris();
    return await run.points();
  } finally {
    faults.remove();
    fileSystem.remove();
  }
}

class RecoveryRun {
  private readonly site: RecoverySite;
  private readonly fileSystem: LoopFileSystem;
  private readonly faults: StoreFaults;
  private readonly debris: Crashed[] = [];

  constructor(site: RecoverySite, fileSystem: LoopFileSystem, faults: StoreFaults) {
    this.site = site;
    this.fileSystem = fileSystem;
    this.faults = faults;
  }

  /** Collects what one crash after the other leaves, before the next start tidies it up. */
  async leaveDebris(): Promise<void> {
    mkdirSync(this.debrisDir);
    for (const { operation, before } of this.site.brokenOff) await this.breakOff(operation, before);
  }

  async points(): Promise<readonly CrashPoint[]> {
    const { fileSystem, faults } = this;
    const { settings, crash } = this.site;
    const { findings, state } = await this.undisturbed();
    const points: CrashPoint[] = [{ call: null, answer: null, findings }];
    const start = { fileSystem, faults, settings, crash, until: 'server.started' };
    for (let from = 1; points.length <= MAX_POINTS; ) {
      restoreStore(fileSystem, this.debrisDir);
      const { call, next, unexpected } = await crashStart(start, from);
      points.push({ call, answer: null, findings: [...unexpected, ...this.recoverAgain(state)] });
      if (call === null) return points;
      from = next;
    }
    throw new Error(`the start has more than ${MAX_POINTS} points`);
  }

  private get debrisDir(): string {
    return join(this.fileSystem.mountPoint, 'debris');
  }

  private async breakOff(operation: Operation, only: string): Promise<void> {
    const { storeDir } = this.fileSystem;
    const { environment } = this.faults;
    const server = await startSettled({ storeDir, environment, settings: this.site.settings });
    const key = `debris-${this.debris.length}/file.bin`;
    await operation.prepare(server, key);
    this.faults.arm({ strike: { type: 'kill' }, first: 1, only });
    const answer = await operation.run(server, key);
    const { signal } = await server.exited;
    await server.stop();
    this.faults.disarm();
    if (signal !== 'SIGKILL') throw new Error(`${operation.name} was not broken off before ${only}`);
    this.debris.push({ operation, key, answer });
    command('cp', '--archive', '--no-clobber', `${storeDir}/.`, this.debrisDir);
  }

  /** What one start makes of it when it is not disturbed: the state that every other must end in. */
  private async undisturbed(): Promise<{ findings: readonly string[]; state: StoreState }> {
    const { storeDir } = this.fileSystem;
    restoreStore(this.fileSystem, this.debrisDir);
    const server = await startSettled({ storeDir, settings: this.site.settings });
    try {
      const state = stateOf(storeDir);
      const findings: string[] = [];
      for (const crashed of this.debris) findings.push(...(await judge(server, crashed)));
      return { findings, state };
    } finally {
      server.kill('SIGKILL');
      await server.stop();
    }
  }

  private recoverAgain(expected: StoreState): readonly string[] {
    const { storeDir } = this.fileSystem;
    prepareStore(storeDir);
    recoverStore(storeDir);
    const state = stateOf(storeDir);
    const paths = [...new Set([...expected.keys(), ...state.keys()])];
    const different = paths.filter((path) => state.get(path) !== expected.get(path));
    return different.map((path) => `${path}: ${state.get(path) ?? 'absent'}, not ${expected.get(path) ?? 'absent'}`);
  }
}

/** Every file with all that recovery could change about it. Empty folders come and go with the passes. */
type StoreState = ReadonlyMap<string, string>;

/** What says who uses the store, and not what is in it. */
const marks: ReadonlySet<string> = new Set(['.hfs/lock', '.hfs/dirty', '.hfs/format.json']);

function stateOf(storeDir: string): StoreState {
  const paths = treeOf(storeDir).filter((path) => !path.endsWith('/') && !marks.has(path));
  return new Map(paths.map((path) => [path, describeFile(join(storeDir, path))]));
}

function describeFile(path: string): string {
  const { size, nlink, mtimeNs } = statSync(path, { bigint: true });
  return `${size} bytes, ${sha256(readFileSync(path))}, ${nlink} names, changed ${mtimeNs}`;
}
