/** Runs a few statements in a process of its own, with a logger: for faults that hit a whole process. */

import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

const loggerModule = new URL('../../src/main/events/logger.js', import.meta.url).href;

/** A child that hangs is killed, so that its test fails. */
const MAX_LIFE_MS = 30_000;

export interface LogChild {
  readonly process: ChildProcess;
  /** What it wrote to standard error. */
  readonly stderr: Promise<string>;
  /** Exit status; null when a signal ended it. */
  readonly exit: Promise<number | null>;
}

export interface LogChildOptions {
  /** JavaScript, inside an async context with `openLogger`; arguments are in `process.argv`, from index 1. */
  readonly code: string;
  readonly args?: readonly string[];
  readonly stdout?: 'ignore' | 'pipe' | number;
  readonly stderr?: 'pipe' | number;
  /** Shell commands that run in the process before it becomes Node. */
  readonly before?: string;
}

export function startLogChild(options: LogChildOptions): LogChild {
  const script = `import { openLogger } from ${JSON.stringify(loggerModule)};\n${options.code}`;
  const stdio: StdioOptions = ['ignore', options.stdout ?? 'ignore', options.stderr ?? 'pipe'];
  const shell = `${options.before ?? ''}\nexec "$0" --input-type=module -e "$@"`;
  const child = spawn('sh', ['-c', shell, process.execPath, script, ...(options.args ?? [])], {
    stdio,
    timeout: MAX_LIFE_MS,
    killSignal: 'SIGKILL',
  });
  const exit = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  return { process: child, stderr: child.stderr === null ? Promise.resolve('') : text(child.stderr), exit };
}
