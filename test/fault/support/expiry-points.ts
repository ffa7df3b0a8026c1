/**
 * Crashes a server at every point of a pass that removes expired files. Whatever remains, nobody gets an expired
 * file again, and the next passes remove it with all that belongs to it.
 */

import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { content } from '../../support/paced-transfer.ts';
import { ServerProcess } from '../../support/server-process.ts';
import { publicTreeOf } from '../../support/store-state.ts';
import type { Crash } from './crash.ts';
import type { CrashPoint } from './crash-points.ts';
import { crashStart, restoreStore } from './crash-start.ts';
import { FakeClock } from './fake-clock.ts';
import { command } from './host.ts';
import { leftovers } from './leftovers.ts';
import { type FileSystemKind, LoopFileSystem } from './loop-file-system.ts';
import { upload } from './operation.ts';
import { StoreFaults } from './store-faults.ts';

const VERSIONING = { EnableVersioning: true, MaxVersions: 2 };
const EXPIRY = { ...VERSIONING, FileTTL: '1s' };
const TTL_MS = 1_000;
const PASS_DONE = 'expiry.completed';
const EXPIRED = ['plain/file.bin', 'typed/file.bin'] as const;
const FRESH = 'fresh/file.bin';
const FRESH_BYTES = content('fresh', 10_000);
/** So many milliseconds later than now, a file is not expired. */
const FAR_MS = 86_400_000;

export interface ExpirySite {
  readonly fileSystem: FileSystemKind;
  readonly crash: Crash;
}

/** The last point is a pass that was not broken off. */
export async function crashDuringExpiry(site: ExpirySite): Promise<readonly CrashPoint[]> {
  const fileSystem = LoopFileSystem.make(site.fileSystem);
  const faults = new StoreFaults(fileSystem.storeDir);
  const run = new ExpiryRun(site.crash, fileSystem, faults);
  try {
    await run.seed();
    return await run.points();
  } finally {
    faults.remove();
    fileSystem.remove();
  }
}

class ExpiryRun {
  private readonly crash: Crash;
  private readonly fileSystem: LoopFileSystem;
  private readonly faults: StoreFaults;

  constructor(crash: Crash, fileSystem: LoopFileSystem, faults: StoreFaults) {
    this.crash = crash;
    this.fileSystem = fileSystem;
    this.faults = faults;
  }

  /** Two expired files, one of them with a type and a version, and a fresh one; the operator has been told. */
  async seed(): Promise<void> {
    const { storeDir } = this.fileSystem;
    const server = await ServerProcess.start({ storeDir, settings: VERSIONING });
    const [plain, typed] = EXPIRED;
    await upload(server, plain, content('plain', 10_000));
    await upload(server, typed, content('old', 20_000), 'image/x-own');
    await upload(server, typed, content('new', 30_000), 'image/x-own');
    await upload(server, FRESH, FRESH_BYTES);
    await server.stop();
    const later = new Date(Date.now() + FAR_MS);
    utimesSync(join(storeDir, FRESH), later, later);
    await this.pass();
    command('cp', '--archive', storeDir, this.copy);
    // Time is what makes a file expire.
    await delay(TTL_MS);
  }

  async points(): Promise<readonly CrashPoint[]> {
    const { fileSystem, faults, crash } = this;
    const start = { fileSystem, faults, settings: EXPIRY, crash, until: PASS_DONE };
    const points: CrashPoint[] = [];
    for (let from = await this.firstRemoval(); ; ) {
      restoreStore(fileSystem, this.copy);
      const { call, next, unexpected } = await crashStart(start, from);
      points.push({ call, answer: null, findings: [...unexpected, ...(await this.passLater())] });
      if (call === null) return points;
      from = next;
    }
  }

  private get copy(): string {
    return join(this.fileSystem.mountPoint, 'copy');
  }

  /** Number of the first call of a start that removes a stored file: what comes before is not the pass. */
  private async firstRemoval(): Promise<number> {
    restoreStore(this.fileSystem, this.copy);
    this.faults.arm();
    await this.pass(this.faults.environment);
    const index = this.faults.calls().findIndex(({ name, path }) => name === 'unlink' && !path.startsWith('/.hfs/'));
    this.faults.disarm();
    if (index === -1) throw new Error('the pass removes nothing');
    return index + 1;
  }

  /** One start and its first pass. Returns what is wrong then. */
  private async pass(environment: Readonly<Record<string, string>> = {}): Promise<readonly string[]> {
    const { storeDir } = this.fileSystem;
    const server = await ServerProcess.start({ storeDir, settings: EXPIRY, environment });
    try {
      const findings: string[] = [];
      for (const key of EXPIRED) {
        const status = await statusOf(server, key);
        if (status !== 404) findings.push(`${key} is expired, and answered ${status}`);
      }
      await server.event(PASS_DONE);
      const files = publicTreeOf(storeDir).filter((path) => !path.endsWith('/') && path !== '.hfs');
      if (files.join() !== FRESH) findings.push(`after the pass: ${files.join()}`);
      for (const key of EXPIRED) {
        const status = await upload(server, key, content('replayed', 10));
        if (status !== 409) findings.push(`the slot of ${key} is open again: a replay got ${status}`);
      }
      if ((await statusOf(server, FRESH)) !== 200) findings.push('the fresh file is gone');
      return [...findings, ...leftovers(storeDir)];
    } finally {
      await server.stop();
    }
  }

  /** A pass when nothing of before can still be on its way: two hours later. */
  private async passLater(): Promise<readonly string[]> {
    const clock = new FakeClock('+2h');
    try {
      return await this.pass(clock.environment);
    } finally {
      clock.remove();
    }
  }
}

async function statusOf(server: ServerProcess, key: string): Promise<number> {
  const path = server.signedTarget(key, 0).split('?')[0];
  const response = await fetch(`${server.origin}${path}`);
  await response.arrayBuffer();
  return response.status;
}
