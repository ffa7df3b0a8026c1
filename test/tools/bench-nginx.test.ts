/** The harness against nginx, the yardstick. */

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { bench } from '../support/bench-command.ts';

let directory = '';

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'bench-nginx-'));
});

after(() => {
  rmSync(directory, { recursive: true });
});

test('two targets alternate, and a ratio that is too low ends with 1', async () => {
  const line = 'get size=100 requests=50 connections=2 --target sink --vs nginx --min-ratio 100';
  const { status, report } = await bench(line, directory);
  assert.equal(status, 1);
  assert.deepEqual(
    report.runs.map(({ target }) => target),
    Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? 'sink' : 'nginx')),
  );
  const [comparison] = report.comparisons;
  assert.deepEqual([comparison?.isEnough, comparison?.first.values.length], [false, 5]);
});

test('directives in the name of the target reach nginx', async () => {
  const put = 'put size=64KiB requests=4 connections=1 --target';
  const { status, run, load } = await bench(
    `${put} nginx?client_body_in_single_buffer=on&client_body_timeout=60s`,
    directory,
  );
  assert.deepEqual([status, load.requests], [0, 4]);
  assert.match(run.targetDescription, /client_body_in_single_buffer on, client_body_timeout 60s$/);
});

test('nginx with DAV takes PUTs and serves them, whole, by range and as HEAD (Debian: apt-get install nginx)', async () => {
  for (const scenario of [
    'put size=1B..2MiB requests=40 connections=4',
    'get size=200KB range=1KB files=4 requests=40 connections=4',
    'head size=200KB files=4 requests=40 connections=4',
  ]) {
    const { status, run, load } = await bench(`${scenario} --target nginx`, directory);
    assert.deepEqual([status, load.requests, load.errors], [0, 40, {}], scenario);
    assert.match(run.targetDescription, /^nginx\/\d/);
    assert.ok((run.server?.peakResidentBytes ?? 0) > 0);
  }
  assert.ok(!readdirSync(directory).some((name) => name.startsWith('hfs-bench-')));
});
