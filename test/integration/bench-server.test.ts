/** The load generator against this server, started with a configuration of its own: signatures of both forms are accepted. */

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { bench } from '../support/bench-command.ts';

let directory = '';

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'bench-server-'));
});

after(() => {
  assert.deepEqual(readdirSync(directory), [], 'runs leave no files behind');
  rmSync(directory, { recursive: true });
});

test('this server takes signed uploads of every size and gives them back', async () => {
  for (const line of [
    'put size=0..2MiB requests=40 connections=4',
    'put size=10KB requests=10 connections=2 --sign v2 --type image/png --durability full',
    'get size=20KB..1MiB files=6 requests=40 connections=4',
    'get size=3MiB range=10KB files=2 requests=40 connections=4',
    'head size=10KB files=3 requests=20 connections=2',
    'get size=10KB files=3 requests=20 connections=2 churn',
  ]) {
    const { status, run, load } = await bench(`${line} --target server`, directory);
    assert.deepEqual([status, load.errors, run.readBack?.errors], [0, {}, {}], line);
    assert.ok((run.server?.peakResidentBytes ?? 0) > 10e6);
  }
});

test('a signature that the server refuses is an error and no throughput', async () => {
  const { status, load } = await bench('put size=10KB requests=5 --target server --sign none', directory);
  assert.deepEqual([status, load.requests, load.bytes], [1, 0, 0]);
  assert.deepEqual(load.errors, { 'status 403': 5 });
});

test('settings in the name of the target reach the server, and tell two targets apart', async () => {
  const line =
    'put size=10KB requests=20 connections=4 --target server?Listeners=1&LogLevel=error --vs server?Listeners=2';
  const { status, report } = await bench(line, directory);
  assert.equal(status, 0);
  const targets = new Map(report.runs.map(({ target, targetDescription }) => [target, targetDescription]));
  assert.match(targets.get('server?Listeners=2') ?? '', /Durability = "none", Listeners = 2, signed with v/);
  assert.equal(targets.size, 2);
});

test('a setting that the server refuses ends the run with what the server says', async () => {
  await assert.rejects(
    bench('put size=10KB requests=1 --target server?Listeners=65', directory),
    /Listeners = 65 is above 64/,
  );
});
