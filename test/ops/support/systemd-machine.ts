/**
 * A machine that runs the shipped unit under real systemd (Debian: systemd), in namespaces of its own. Commands run in it
 * by nsenter; its files are reached below `root`.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type ProgramRun, runProgram } from '../../support/program.ts';
import { projectRoot } from '../../support/project-root.ts';
import { eventually } from '../../support/store-state.ts';

const BOOT = join(projectRoot, 'test', 'ops', 'support', 'boot-systemd.sh');
const INSTALLED = '/usr/local/lib/hmac-file-server/dist/src/main/entry.cjs';
const BOOT_TIMEOUT_MS = 30_000;
const STATE_TIMEOUT_MS = 30_000;

/** What `systemctl show` says of a unit, by property. */
export type UnitState = Readonly<Record<string, string>>;

export class SystemdMachine {
  private readonly child: ChildProcess;
  private readonly folder: string;
  private readonly firstPid: number;

  private constructor(child: ChildProcess, folder: string, firstPid: number) {
    this.child = child;
    this.folder = folder;
    this.firstPid = firstPid;
  }

  /** Resolves when it has booted, and `hmac-file-server` is installed in it. */
  static async boot(): Promise<SystemdMachine> {
    const folder = mkdtempSync(join(tmpdir(), 'hmac-systemd-'));
    const child = spawn('unshare', ['--mount', 'sh', BOOT, folder, projectRoot], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let complaints = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints += text;
    });
    try {
      await once(child, 'spawn');
      await eventually(() => systemdBelow(child.pid) !== null, 'systemd runs', BOOT_TIMEOUT_MS);
      const machine = new SystemdMachine(child, folder, systemdBelow(child.pid) ?? 0);
      await machine.booted();
      await machine.install();
      return machine;
    } catch (error) {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
      throw new Error(`no systemd (needs root, Debian: systemd util-linux): ${complaints}`, { cause: error });
    }
  }

  /** Where its root is for this process. */
  get root(): string {
    return `/proc/${this.firstPid}/root`;
  }

  /** Runs a command in the machine to its end, whatever its status. */
  run(command: string, ...args: readonly string[]): Promise<ProgramRun> {
    const inside = ['-t', String(this.firstPid), '--mount', '--pid', '--ipc', '--uts', '--cgroup', command, ...args];
    return runProgram('nsenter', inside, { debian: 'util-linux' });
  }

  /** Rejects, with the unit's journal, when systemctl says that it failed. */
  async systemctl(verb: string, unit: string, ...options: readonly string[]): Promise<void> {
    const { status, stderr } = await this.run('systemctl', verb, ...options, unit);
    if (status !== 0) throw new Error(`systemctl ${verb} ${unit}: ${stderr}\n${await this.journal(unit)}`);
  }

  async state(unit: string): Promise<UnitState> {
    const { stdout } = await this.run('systemctl', 'show', unit);
    return Object.fromEntries(
      stdout.split('\n').map((line) => [line.replace(/=.*/s, ''), line.replace(/^[^=]*=/, '')]),
    );
  }

  async journal(unit: string): Promise<string> {
    return (await this.run('journalctl', '--no-pager', '--output=cat', '--unit', unit)).stdout;
  }

  /** Resolves with the state in which the condition holds. Rejects, with the unit's journal, when it does not come. */
  async until(unit: string, condition: (state: UnitState) => boolean, what: string): Promise<UnitState> {
    const deadlineMs = performance.now() + STATE_TIMEOUT_MS;
    for (;;) {
      const state = await this.state(unit);
      if (condition(state)) return state;
      if (performance.now() > deadlineMs) throw new Error(`${unit}: ${what}? ${await this.journal(unit)}`);
    }
  }

  /** Makes a file of the machine; for root alone unless its mode says otherwise. */
  write(path: string, text: string, mode = 0o600): void {
    mkdirSync(dirname(this.root + path), { recursive: true });
    writeFileSync(this.root + path, text, { mode });
  }

  has(path: string): boolean {
    return existsSync(this.root + path);
  }

  /** Puts a shipped file where operators put it. */
  copy(shipped: string, path: string): void {
    mkdirSync(dirname(this.root + path), { recursive: true });
    copyFileSync(join(projectRoot, 'deploy', shipped), this.root + path);
  }

  /** Ends everything in it at once. */
  async stop(): Promise<void> {
    process.kill(this.firstPid, 'SIGKILL');
    await once(this.child, 'exit');
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Rejects when it does not come up. */
  private async booted(): Promise<void> {
    await eventually(
      () => existsSync(join(this.root, 'run', 'systemd', 'private')),
      'systemd listens',
      BOOT_TIMEOUT_MS,
    );
    const { stdout } = await this.run('systemctl', 'is-system-running', '--wait');
    if (!['running', 'degraded'].includes(stdout.trim())) throw new Error(`systemd is ${stdout}`);
  }

  /** As `npm install -g --prefix /usr/local` does, with this process's node. */
  private async install(): Promise<void> {
    await this.run('chmod', '755', INSTALLED);
    await this.run('ln', '-sf', INSTALLED, '/usr/local/bin/hmac-file-server');
    await this.run('ln', '-sf', process.execPath, '/usr/local/bin/node');
  }
}

/** The process that became the first one of the machine; null: not yet. */
function systemdBelow(pid: number | undefined): number | null {
  if (pid === undefined) return null;
  if (procFile(pid, 'comm') === 'systemd') return pid;
  const children = procFile(pid, `task/${pid}/children`);
  return children === '' ? null : systemdBelow(Number(children.split(' ')[0]));
}

/** Empty for a process that has ended meanwhile. */
function procFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8').trim();
  } catch {
    return '';
  }
}
