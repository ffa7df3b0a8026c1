/** Programs of the operating system as tests run them: to their end, with what they wrote. A missing one fails the test. */

import { spawn } from 'node:child_process';

export interface ProgramRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  /** The Debian package that has it. */
  readonly debian: string;
  readonly input?: string;
  readonly cwd?: string;
  readonly environment?: NodeJS.ProcessEnv;
}

/** What to say, and to throw, when a program is not there. */
export function missingProgram(command: string, debian: string, cause: unknown): Error {
  return new Error(`${command} is not installed (Debian: apt-get install ${debian})`, { cause });
}

/** Runs a program to its end, whatever its status. Rejects, with what to install, when it is not there. */
export function runProgram(command: string, args: readonly string[], options: ProgramOptions): Promise<ProgramRun> {
  const { debian, input = '', cwd, environment } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: environment ?? process.env });
    const texts = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        texts[name] += text;
      });
    }
    child.once('error', (cause) => reject(missingProgram(command, debian, cause)));
    child.once('close', (status, signal) => {
      if (signal === null) resolve({ status: status ?? -1, ...texts });
      else reject(new Error(`${command} was ended by ${signal}: ${texts.stderr}`));
    });
    // A program may leave before it has read everything.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
