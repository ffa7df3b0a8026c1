/** Lines on standard output: whoever reads them, or does not, the process neither stops nor waits. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { startLogChild } from '../support/log-child.ts';

const folder = mkdtempSync(join(tmpdir(), 'hfs-log-stdout-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Logs 20,000 lines over many turns, then says how many were lost and how late its slowest turn was; then it exits. */
const talkative = `
  const logger = await openLogger({ level: 'info', file: null, standardOutput: 'json', maxBytes: 500_000 });
  process.once('exit', () => logger.flushSync());
  let slowestMs = 0;
  let lastMs = performance.now();
  for (let n = 0; n < 20_000; n += 1) {
    logger.log('info', 'x', { n, text: 'a'.repeat(60) });
    if (n % 100 !== 0) continue;
    await new Promise((resolve) => setTimeout(resolve, 1));
    slowestMs = Math.max(slowestMs, performance.now() - lastMs);
    lastMs = performance.now();
  }
  await logger.flush();
  console.error(JSON.stringify({ dropped: logger.droppedLines(), slowestMs }));
  process.exit(0);`;

interface Report {
  readonly dropped: number;
  readonly slowestMs: number;
}

function reportOf(stderr: string): Report {
  return JSON.parse(stderr) as Report;
}

/** A FIFO: its write end, and a read end that keeps it open without reading. */
function openFifo(name: string): { readonly reader: number; readonly writer: number } {
  const path = join(folder, name);
  const made = spawnSync('mkfifo', [path]);
  assert.equal(made.status, 0, 'mkfifo (coreutils) is needed');
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: openSync(path, constants.O_WRONLY) };
}

test('every line arrives at a reader that reads, through a socket or a pipe', async () => {
  const child = startLogChild({ code: talkative, stdout: 'pipe' });
  assert.ok(child.process.stdout !== null);
  const lines = (await text(child.process.stdout)).trimEnd().split('\n');
  assert.equal(reportOf(await child.stderr).dropped, 0);
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { n: number }).n),
    Array.from({ length: 20_000 }, (_, n) => n),
  );
  assert.equal(await child.exit, 0);
});

test('F71 a socket that nobody reads costs lines, not time: neither while running nor at exit', async () => {
  const child = startLogChild({ code: talkative, stdout: 'pipe' });
  const report = reportOf(await child.stderr);
  assert.ok(report.dropped > 1000, `${report.dropped} dropped`);
  assert.ok(report.slowestMs < 1000, `${report.slowestMs} ms`);
  assert.equal(await child.exit, 0);
});

test('F71 a pipe that nobody reads costs lines, not time: neither while running nor at exit', async () => {
  const { reader, writer } = openFifo('unread');
  const child = startLogChild({ code: talkative, stdout: writer });
  closeSync(writer);
  const report = reportOf(await child.stderr);
  assert.equal(await child.exit, 0);
  closeSync(reader);
  assert.ok(report.dropped > 1000, `${report.dropped} dropped`);
  assert.ok(report.slowestMs < 1000, `${report.slowestMs} ms`);
});

test('F71 a pipe whose reader has gone costs all lines, and the process lives', async () => {
  const { reader, writer } = openFifo('closed');
  closeSync(reader);
  const child = startLogChild({ code: talkative, stdout: writer });
  closeSync(writer);
  const report = reportOf(await child.stderr);
  assert.equal(await child.exit, 0);
  assert.equal(report.dropped, 20_000);
});

test('F71 a full device as standard output costs lines, and the process lives', async () => {
  const full = openSync('/dev/full', 'w');
  const child = startLogChild({ code: talkative, stdout: full });
  closeSync(full);
  assert.ok(reportOf(await child.stderr).dropped > 1000);
  assert.equal(await child.exit, 0);
});

test('in a file that it shares with standard error neither overwrites the other', async () => {
  const path = join(folder, 'both.txt');
  const file = openSync(path, 'w');
  const code = `
    const logger = await openLogger({ level: 'info', file: null, standardOutput: 'readable' });
    for (let n = 0; n < 20; n += 1) { console.error('stderr'); logger.log('info', 'line', { n }); await logger.flush(); }
    await logger.close();`;
  const child = startLogChild({ code, stdout: file, stderr: file });
  closeSync(file);
  assert.equal(await child.exit, 0);
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  assert.equal(lines.filter((line) => line === 'stderr').length, 20);
  assert.equal(lines.filter((line) => / INFO {4}line n=\d+$/.test(line)).length, 20);
});

test('writes to standard output and to a file, readable here and JSON there', async () => {
  const path = join(folder, 'second.log');
  const code = `
    const logger = await openLogger({ level: 'info', file: process.argv[1], standardOutput: 'readable' });
    logger.log('warning', 'Hello', { n: 1 });
    await logger.close();`;
  const child = startLogChild({ code, args: [path], stdout: 'pipe' });
  assert.ok(child.process.stdout !== null);
  assert.match(await text(child.process.stdout), /^\S+ WARNING Hello n=1\n$/);
  assert.match(readFileSync(path, 'utf8'), /^\{"time":"[^"]+","level":"warning","msg":"Hello","n":1\}\n$/);
  assert.equal(await child.exit, 0);
});
