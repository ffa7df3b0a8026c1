/**
 * Loaded into a child process with `--import`: kills it before its Nth call that changes a disk (`KILL_AT_STEP`), so
 * that a test can go through every point at which work can break off. Ends with status 0 when there are fewer calls.
 */

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const CHANGING = [
  'writeSync',
  'writeFileSync',
  'fsyncSync',
  'fdatasyncSync',
  'linkSync',
  'renameSync',
  'unlinkSync',
  'rmSync',
  'rmdirSync',
  'mkdirSync',
  'openSync',
  'truncateSync',
  'utimesSync',
] as const;

const killAt = Number(process.env['KILL_AT_STEP']);
let step = 0;

const functions = fs as unknown as Record<string, (...args: readonly unknown[]) => unknown>;
for (const name of CHANGING) {
  const original = functions[name];
  if (original === undefined) throw new Error(`node:fs has no ${name}`);
  functions[name] = (...args) => {
    step += 1;
    if (step === killAt) process.kill(process.pid, 'SIGKILL');
    return original(...args);
  };
}
syncBuiltinESMExports();
