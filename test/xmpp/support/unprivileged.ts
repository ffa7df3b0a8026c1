/**
 * Starts a program that insists on not being root, in a temporary folder of its own. It ends with the test that started
 * it, whatever happens to that test, and no service of the system is touched.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../support/store-state.ts';

/** Debian's `nobody` and `nogroup`. */
const NOBODY = 65_534;
const STOP_TIMEOUT_MS = 10_000;
const isRoot = process.geteuid?.() === 0;

export interface ProgramStart {
  readonly folder: string;
  readonly command: readonly [program: string, ...args: string[]];
  readonly environment?: Readonly<Record<string, string>>;
  /** Debian's package with the program. */
  readonly debianPackage: string;
}

/** A folder below the system's temporary one that the program may write to. */
export function makeFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  giveAway(folder);
  return folder;
}

/** Makes a file or folder the program's own. */
export function giveAway(path: string): void {
  if (isRoot) chownSync(path, NOBODY, NOBODY);
}

/** A TCP port on loopback that nobody uses at this moment: these programs cannot say which one they got. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Throws, with what to install, when a program is missing. */
export function requireProgram(program: string, debianPackage: string): void {
  if (spawnSync('which', [program]).status !== 0) {
    throw new Error(`${program} is missing: apt-get install ${debianPackage}`);
  }
}

export class UnprivilegedProgram {
  readonly folder: string;
  private readonly child: ChildProcess;
  private readonly exited: Promise<unknown>;

  private constructor(child: ChildProcess, folder: string) {
    this.child = child;
    this.folder = folder;
    this.exited = once(child, 'exit');
  }

  static start({ folder, command, environment, debianPackage }: ProgramStart): UnprivilegedProgram {
    requireProgram(command[0], debianPackage);
    const user = isRoot ? [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] : [];
    // The kernel ends it with the thread that started it.
    const child = spawn('setpriv', [...user, '--pdeathsig', 'KILL', ...command], {
      cwd: folder,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', HOME: folder, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    return new UnprivilegedProgram(child, folder);
  }

  /** Resolves when the program has written this to its output. Rejects with the output when it ends before. */
  says(text: string, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let output = '';
      const fail = (why: string): void => reject(new Error(`${why}, not "${text}": ${output.slice(-2_000)}`));
      const timer = setTimeout(() => fail(`nothing within ${timeoutMs} ms`), timeoutMs);
      for (const stream of [this.child.stdout, this.child.stderr]) {
        stream?.on('data', (chunk: Buffer) => {
          output += chunk.toString();
          if (!output.includes(text)) return;
          clearTimeout(timer);
          resolve();
        });
      }
      this.child.once('exit', () => {
        clearTimeout(timer);
        fail('it ended');
      });
    });
  }

  /** Ends it and everything that it started, and removes its folder. Rejects when something of it goes on running. */
  async stop(): Promise<void> {
    const { pid } = this.child;
    if (pid !== undefined && this.child.exitCode === null && this.child.signalCode === null) {
      process.kill(-pid, 'SIGKILL');
      await this.exited;
    }
    await eventually(() => !hasProcess(this.folder), `nothing runs in ${this.folder}`, STOP_TIMEOUT_MS);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Whether a process works in this folder: some leave the group of the one that started them. */
function hasProcess(folder: string): boolean {
  return readdirSync('/proc').some((entry) => /^\d+$/.test(entry) && workingFolder(entry)?.startsWith(folder));
}

/** null: it has ended meanwhile, or belongs to somebody else. */
function workingFolder(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return null;
  }
}
