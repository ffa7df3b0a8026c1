/** Runs a client program to its end. */

import { spawn } from 'node:child_process';
import { requireProgram } from './unprivileged.ts';

export interface ClientProgram {
  readonly command: readonly [program: string, ...args: string[]];
  readonly debianPackage: string;
}

const TIMEOUT_MS = 90_000;

/** Resolves to the standard output. Rejects, with what it said, when the program fails or does not come to an end. */
export function runClient({ command, debianPackage }: ClientProgram, input = ''): Promise<string> {
  const [program, ...args] = command;
  requireProgram(program, debianPackage);
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { timeout: TIMEOUT_MS, killSignal: 'SIGKILL' });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (status, signal) => {
      if (status === 0) resolve(output);
      else
        reject(new Error(`${program} (Debian: ${debianPackage}) ended with ${status ?? signal}: ${errors}${output}`));
    });
    // It may end before it has read everything.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
