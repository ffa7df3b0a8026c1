/** The log file: no line lost, none torn, whatever happens to the file and to the disk under it. */

import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openLogger, type ServerLogger } from '../../src/main/events/logger.ts';
import { startLogChild } from '../support/log-child.ts';

const folder = mkdtempSync(join(tmpdir(), 'hfs-log-file-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function openFile(file: string, maxBytes?: number): Promise<ServerLogger> {
  return openLogger({ level: 'info', file, standardOutput: null, ...(maxBytes === undefined ? {} : { maxBytes }) });
}

/** The whole lines of a file, decoded. */
function linesOf(file: string): Record<string, unknown>[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  lines.pop();
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

function numbersOf(file: string): unknown[] {
  return linesOf(file).map((line) => line['n']);
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('A81 a new log file has mode 0640 whatever the umask; one that exists keeps its mode and its lines', async () => {
  for (const mask of [0o000, 0o022, 0o077]) {
    const file = join(folder, `umask-${mask}.log`);
    const before = process.umask(mask);
    const logger = await openFile(file).finally(() => process.umask(before));
    await logger.close();
    assert.equal(statSync(file).mode & 0o777, 0o640);
  }
  const old = join(folder, 'old.log');
  writeFileSync(old, '{"n":"old"}\n');
  chmodSync(old, 0o600);
  const logger = await openFile(old);
  logger.log('info', 'new', { n: 'new' });
  await logger.close();
  assert.deepEqual(numbersOf(old), ['old', 'new']);
  assert.equal(statSync(old).mode & 0o777, 0o600);
});

test('a file that cannot be opened is an error at once, with the system error code', async () => {
  await assert.rejects(openFile(join(folder, 'missing', 'x.log')), { code: 'ENOENT' });
  await assert.rejects(openFile(folder), { code: 'EISDIR' });
});

test('writes time, level and msg first, in the order of the calls', async () => {
  const file = join(folder, 'order.log');
  const logger = await openFile(file);
  logger.log('info', 'first', { n: 1 }, Date.UTC(2026, 0, 1));
  logger.log('debug', 'not at this level');
  logger.log('error', 'second', { n: 2 });
  await logger.flush();
  const [line = ''] = readFileSync(file, 'utf8').split('\n');
  assert.equal(line, '{"time":"2026-01-01T00:00:00.000Z","level":"info","msg":"first","n":1}');
  assert.deepEqual(numbersOf(file), [1, 2]);
  await logger.close();
});

test('follows a change of level, and tells its listeners', async () => {
  const file = join(folder, 'level.log');
  const logger = await openFile(file);
  let changes = 0;
  const end = logger.onLevelChange(() => {
    changes += 1;
  });
  logger.setLevel('debug');
  assert.equal(logger.isDebugEnabled, true);
  logger.log('debug', 'x', { n: 1 });
  logger.setLevel('panic');
  assert.deepEqual([logger.isDebugEnabled, logger.isEnabled('fatal'), logger.isEnabled('panic')], [false, false, true]);
  logger.log('fatal', 'x', { n: 2 });
  logger.log('panic', 'x', { n: 3 });
  end();
  logger.setLevel('info');
  await logger.close();
  assert.deepEqual(numbersOf(file), [1, 3]);
  assert.equal(changes, 2);
});

test('100,000 lines and ten rotations by rename and reopen: none lost, none doubled, none torn', async () => {
  const file = join(folder, 'rotated.log');
  const logger = await openFile(file);
  for (let n = 0; n < 100_000; n += 1) {
    logger.log('info', 'Request completed', { n, path: '/files/some/where' });
    if (n % 500 === 0) await nextTurn();
    if (n % 10_000 === 5000) {
      renameSync(file, `${file}.${n}`);
      // Not awaited: lines go on while the file is opened anew.
      void logger.reopen();
    }
  }
  await logger.reopen();
  await logger.close();
  assert.equal(logger.droppedLines(), 0);
  const files = readdirSync(folder).filter((name) => name.startsWith('rotated.log'));
  assert.equal(files.length, 11);
  const numbers = files.flatMap((name) => numbersOf(join(folder, name)).map(Number));
  assert.deepEqual(
    numbers.sort((a, b) => a - b),
    range(100_000),
  );
});

test('keeps the old file when the new one cannot be opened', async () => {
  const subfolder = mkdtempSync(join(folder, 'gone-'));
  const file = join(subfolder, 'x.log');
  const moved = join(folder, 'moved');
  const logger = await openFile(file);
  renameSync(subfolder, moved);
  await assert.rejects(logger.reopen(), { code: 'ENOENT' });
  logger.log('info', 'x', { n: 1 });
  await logger.close();
  assert.deepEqual(numbersOf(join(moved, 'x.log')), [1]);
});

test('flushSync writes what was logged in the same tick', async () => {
  const file = join(folder, 'sync.log');
  const logger = await openFile(file);
  for (const n of range(2000)) logger.log('info', 'x', { n });
  logger.flushSync();
  await logger.close();
  assert.deepEqual(
    numbersOf(file).sort((a, b) => Number(a) - Number(b)),
    range(2000),
  );
});

test('a process that ends by process.exit has lost nothing, also what was being written', async () => {
  const file = join(folder, 'exit.log');
  const code = `
    const logger = await openLogger({ level: 'info', file: process.argv[1], standardOutput: null });
    process.once('exit', () => logger.flushSync());
    for (let n = 0; n < 5000; n += 1) logger.log('info', 'x', { n });
    setImmediate(() => { for (let n = 5000; n < 6000; n += 1) logger.log('info', 'x', { n }); process.exit(3); });`;
  const child = startLogChild({ code, args: [file] });
  assert.equal(await child.exit, 3, await child.stderr);
  assert.deepEqual(
    numbersOf(file).sort((a, b) => Number(a) - Number(b)),
    range(6000),
  );
});

test('says how many lines are missing as soon as the file takes lines again', async () => {
  const file = join(folder, 'gap.log');
  const logger = await openFile(file, 1000);
  for (const n of range(100)) logger.log('info', 'x', { n });
  await logger.flush();
  await logger.flush();
  const dropped = logger.droppedLines();
  assert.ok(dropped > 50);
  const last = linesOf(file).at(-1);
  assert.deepEqual(
    [last?.['level'], last?.['msg'], last?.['target'], last?.['lines']],
    ['warning', 'Log lines were dropped', 'file', dropped],
  );
  await logger.close();
});

test('F71 a full device costs lines, which are counted, and neither throws nor keeps flush from settling', async () => {
  const logger = await openFile('/dev/full', 10_000);
  for (const n of range(1000)) logger.log('info', 'x', { n, text: 'a'.repeat(50) });
  await logger.flush();
  assert.ok(logger.droppedLines() > 800, `${logger.droppedLines()} dropped`);
  await logger.close();
  assert.equal(logger.droppedLines(), 1000);
});

test('F71 lines that the device refuses for a second are given up, so that an outage is seen in the count', async () => {
  const code = `
    const logger = await openLogger({ level: 'info', file: '/dev/full', standardOutput: null });
    logger.log('info', 'x');
    const startedMs = performance.now();
    const timer = setInterval(() => {
      if (logger.droppedLines() === 0 && performance.now() - startedMs < 10_000) return;
      clearInterval(timer);
      console.error(logger.droppedLines());
    }, 50);`;
  const child = startLogChild({ code });
  assert.equal((await child.stderr).trim(), '1');
  assert.equal(await child.exit, 0);
});

/** Logs 300 lines of 110 bytes into a file that may have 16 KiB, then asks for room, then logs one line more. */
function limitedCode(makeRoom: string): string {
  return `
    import { renameSync } from 'node:fs';
    import { execFileSync } from 'node:child_process';
    const file = process.argv[1];
    const logger = await openLogger({ level: 'info', file, standardOutput: null });
    for (let n = 0; n < 300; n += 1) logger.log('info', 'x', { n, text: 'a'.repeat(38) });
    await logger.flush();
    ${makeRoom}
    await logger.flush();
    logger.log('info', 'x', { n: 300 });
    await logger.close();
    console.error(logger.droppedLines());`;
}

test('F66 a file at its size limit: rotation gives room, and the line that was cut is whole in the new file', async () => {
  const file = join(folder, 'limited.log');
  const code = limitedCode(`
    for (const part of ['1', '2']) {
      renameSync(file, file + '.' + part);
      await logger.reopen();
      await logger.flush();
    }`);
  const child = startLogChild({ code, args: [file], before: 'ulimit -f 32' });
  assert.equal((await child.stderr).trim(), '0');
  assert.equal(await child.exit, 0);
  const numbers = [`${file}.1`, `${file}.2`, file].flatMap(numbersOf);
  assert.deepEqual(numbers, range(301));
});

test('F14 a file that could not grow goes on where it stopped when there is room again', async () => {
  const file = join(folder, 'grown.log');
  const code = limitedCode(`execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=unlimited']);`);
  const child = startLogChild({ code, args: [file], before: 'ulimit -S -f 32' });
  assert.equal((await child.stderr).trim(), '0');
  assert.equal(await child.exit, 0);
  assert.deepEqual(numbersOf(file), range(301));
});
