/** The real curl as a client: how common HTTP stacks behave where a client of our own would prove nothing. */

import { spawn } from 'node:child_process';

export interface CurlResult {
  /** 0 when curl got a whole response, whatever its status. */
  readonly exitCode: number;
  /** Status of the final response; 0 without one. */
  readonly status: number;
  readonly body: Buffer;
  readonly errors: string;
}

const MAX_SECONDS = 20;
const STATUS_DIGITS = 3;

/** Runs curl without its configuration file. `input` becomes its standard input. Rejects when curl is not installed. */
export function curl(args: readonly string[], input: Uint8Array = new Uint8Array(0)): Promise<CurlResult> {
  const common = ['--disable', '--silent', '--show-error', '--max-time', String(MAX_SECONDS)];
  return new Promise((resolve, reject) => {
    const child = spawn('curl', [...common, '--write-out', '%{http_code}', ...args]);
    const output: Buffer[] = [];
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.once('error', (cause) => reject(new Error('curl is missing: install the package curl', { cause })));
    child.once('close', (exitCode) => {
      const written = Buffer.concat(output);
      const body = written.subarray(0, -STATUS_DIGITS);
      const status = Number(written.subarray(-STATUS_DIGITS).toString());
      resolve({ exitCode: exitCode ?? -1, status, body, errors });
    });
    // curl may leave before it has read everything.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
