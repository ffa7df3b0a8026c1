/**
 * The built server as a process of its own, on free loopback ports and in a temporary folder: what tests of the wire
 * talk to. Everything is gone after `stop`.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readLaunch } from '../../bench/targets/launch.ts';
import { projectRoot } from './project-root.ts';
import { slotTarget } from './sign.ts';

export const TEST_SECRET = 'a-secret-that-only-tests-know';

/** Values as TOML text: `true`, `5`, `"text"`. */
export type TomlSettings = Readonly<Record<string, string | number | boolean | readonly string[]>>;

export interface ServerOptions {
  readonly settings?: TomlSettings;
  readonly environment?: Readonly<Record<string, string>>;
  /** An existing store instead of a fresh one; it is not removed. */
  readonly storeDir?: string;
  /** Options of node itself, such as V8's. */
  readonly nodeArguments?: readonly string[];
  /** Put in front of the server's command line, such as `['prlimit', '--nofile=256']`. */
  readonly prefix?: readonly string[];
}

/** One line of the server's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string; readonly event?: string };

export interface Exit {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 40_000;

export class ServerProcess {
  readonly folder: string;
  readonly storeDir: string;
  readonly lines: LogLine[] = [];
  /** What the server wrote to standard error. */
  errors = '';
  port = 0;
  metricsPort = 0;
  private readonly child: ChildProcess;
  private readonly waiting = new Set<() => void>();
  readonly exited: Promise<Exit>;

  private constructor(child: ChildProcess, folder: string, storeDir: string) {
    this.child = child;
    this.folder = folder;
    this.storeDir = storeDir;
    this.exited = new Promise((resolve) => {
      child.once('exit', (status, signal) => {
        resolve({ status, signal });
        this.wake();
      });
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.errors += chunk.toString();
    });
    if (child.stdout !== null) createInterface(child.stdout).on('line', (line) => this.take(line));
  }

  /** Starts a server and resolves when it answers. Rejects with its output when it does not start. */
  static async start(options: ServerOptions = {}): Promise<ServerProcess> {
    const server = ServerProcess.spawn(options);
    const started = await Promise.race([server.event('server.started', START_TIMEOUT_MS), server.exited]).catch(
      async (error: unknown) => {
        server.kill('SIGKILL');
        await server.stop();
        throw error;
      },
    );
    if (!('msg' in started)) {
      rmSync(server.folder, { recursive: true, force: true });
      throw new Error(`server ended with ${started.status ?? started.signal}: ${server.errors}`);
    }
    server.port = portOf(String(started['listen']));
    server.metricsPort = started['metrics'] === undefined ? 0 : portOf(String(started['metrics']));
    return server;
  }

  /** Starts a server without waiting for anything: for starts that are expected to fail. */
  static spawn(options: ServerOptions = {}): ServerProcess {
    const folder = mkdtempSync(join(tmpdir(), 'hmac-file-server-test-'));
    const storeDir = options.storeDir ?? join(folder, 'store');
    const configFile = join(folder, 'config.toml');
    writeFileSync(configFile, renderToml({ ...defaults, StoreDir: storeDir, ...options.settings }), { mode: 0o600 });
    const entry = join(projectRoot, 'dist/src/main/entry.cjs');
    const launch = readLaunch(entry);
    const [command = '', ...args] = [
      ...(options.prefix ?? []),
      process.execPath,
      ...launch.nodeOptions,
      ...(options.nodeArguments ?? []),
      entry,
      'serve',
      '--config',
      configFile,
    ];
    const inherited = { PATH: process.env['PATH'] ?? '' };
    const environment = { ...inherited, ...launch.environment, ...listeners(), ...options.environment };
    const child = spawn(command, args, { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    return new ServerProcess(child, folder, storeDir);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get operatorOrigin(): string {
    return `http://127.0.0.1:${this.metricsPort}`;
  }

  /** Path and query of a signed upload of `sizeBytes` to the decoded path `key`. */
  signedTarget(key: string, sizeBytes: number): string {
    return slotTarget(TEST_SECRET, '/files/', key, sizeBytes);
  }

  /** Resolves to the first log line, past or future, of this event (and for which `matches`). */
  async event(type: string, timeoutMs = 10_000, matches: (line: LogLine) => boolean = () => true): Promise<LogLine> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const found = this.lines.find((line) => line.event === type && matches(line));
      if (found !== undefined) return found;
      const left = deadline - Date.now();
      if (left <= 0)
        throw new Error(`no event ${type} within ${timeoutMs} ms; log: ${JSON.stringify(this.lines.slice(-5))}`);
      await this.nextLine(left);
    }
  }

  /** The same for a line with this message, which belongs to no event. */
  async message(msg: string, timeoutMs = 10_000): Promise<LogLine> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const found = this.lines.find((line) => line.msg === msg);
      if (found !== undefined) return found;
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`no line "${msg}" within ${timeoutMs} ms`);
      await this.nextLine(left);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Stops the server with SIGTERM and removes its folder. Resolves to how it ended. */
  async stop(): Promise<Exit> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.kill('SIGTERM');
    const timer = setTimeout(() => this.kill('SIGKILL'), STOP_TIMEOUT_MS);
    const exit = await this.exited;
    clearTimeout(timer);
    rmSync(this.folder, { recursive: true, force: true });
    return exit;
  }

  /** Resident memory of the process in bytes. */
  residentBytes(): number {
    return residentBytesOf(this.pid);
  }

  openDescriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** Names of unfinished uploads in the store. */
  stagingFiles(): readonly string[] {
    return readdirSync(join(this.storeDir, '.hfs/staging'));
  }

  private take(line: string): void {
    const parsed: unknown = JSON.parse(line);
    this.lines.push(parsed as LogLine);
    this.wake();
  }

  private wake(): void {
    for (const waiting of this.waiting) waiting();
    this.waiting.clear();
  }

  private nextLine(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.waiting.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

const defaults: TomlSettings = {
  ListenPort: '127.0.0.1:0',
  Secret: TEST_SECRET,
  UploadSubDir: 'files',
  LogLevel: 'debug',
  MetricsEnabled: true,
  MetricsPort: '127.0.0.1:0',
  MinFreeSpace: 0,
};

/** Every test can be run with several listeners: `HMAC_FILE_SERVER_LISTENERS=2 npm run test:e2e`. */
function listeners(): Readonly<Record<string, string>> {
  const name = 'HMAC_FILE_SERVER_LISTENERS';
  const value = process.env[name];
  return value === undefined ? {} : { [name]: value };
}

function renderToml(settings: TomlSettings): string {
  // JSON strings, numbers, booleans and arrays of strings are TOML, too.
  return Object.entries(settings)
    .map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`)
    .join('');
}

/** Resident memory of a process in bytes. */
export function residentBytesOf(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1] ?? 0) * 1024;
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}
