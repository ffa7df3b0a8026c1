/** The command `bench` as a user starts it: help, mistakes, its own targets, reports as files, and Ctrl-C. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Report } from '../../bench/result.ts';
import { bench } from '../support/bench-command.ts';

const MAIN = join(dirname(dirname(import.meta.dirname)), 'bench/main.js');

let directory = '';

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'bench-command-'));
});

after(() => {
  rmSync(directory, { recursive: true });
});

interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly error: string;
}

function start(args: readonly string[]): { child: ChildProcess; ended: Promise<Ended>; output: () => string } {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let error = '';
  child.stdout.on('data', (bytes: Buffer) => {
    out += bytes.toString();
  });
  child.stderr.on('data', (bytes: Buffer) => {
    error += bytes.toString();
  });
  const ended = once(child, 'close').then(() => ({ status: child.exitCode, out, error }));
  return { child, ended, output: () => error };
}

/** Waits for progress of a run that is being measured. */
async function measuring(child: ChildProcess, output: () => string): Promise<void> {
  while (!/\d s: /.test(output())) {
    assert.ok(child.stderr !== null);
    await once(child.stderr, 'data');
  }
}

test('--help explains itself on standard output', async () => {
  const { status, out } = await start(['--help']).ended;
  assert.equal(status, 0);
  assert.match(out, /^Usage: hmac-file-server bench/);
  assert.ok(out.split('\n').every((line) => line.length <= 120));
});

test('a wrong command line ends with 2 and one line that says why', async () => {
  const { status, out, error } = await start(['put', 'size=much']).ended;
  assert.deepEqual([status, out, error], [2, '', 'bench: not a size: "much"\n']);
});

test('a target that cannot be started ends with 2 and says what to do', async () => {
  const { status, error } = await start(['put', '--target', `server:${directory}`, '--dir', directory]).ended;
  assert.equal(status, 2);
  assert.match(error, /no server in .*: build it first/);
});

test('against its own sink the command reports throughput, CPU and memory, as table, JSON and page', async () => {
  const store = join(directory, 'sink');
  mkdirSync(store);
  const json = join(directory, 'report.json');
  const html = join(directory, 'report.html');
  const line = `put size=64KiB connections=8 --duration 500ms --warm-up 100ms --target sink --dir ${store}`;
  const { status, out, error } = await start([...line.split(' '), '--json', json, '--html', html]).ended;
  assert.equal(status, 0, error);
  assert.match(out, /PUT 64 KiB, 8 conns +sink +[\d.]+ [MG]B\/s/);
  assert.match(error, /\[1\/1\] sink: PUT 64 KiB/);
  const report = JSON.parse(readFileSync(json, 'utf8')) as Report;
  const [run] = report.runs;
  assert.ok(run?.server !== null && run?.server !== undefined);
  assert.ok(run.server.peakResidentBytes > 10e6 && run.server.cpuSeconds > 0);
  assert.ok((run.cpuSecondsPerGb ?? 0) > 0 && (run.generator.busiestThread ?? 0) > 0);
  assert.ok((run.loads[0]?.requests ?? 0) > 100);
  assert.match(readFileSync(html, 'utf8'), /<!doctype html>/);
  assert.deepEqual(readdirSync(store), []);
});

test('secrets of the command line do not stand in the report', async () => {
  const line = 'get size=1KiB requests=5 --target sink --secret hush --delete-secret=hush2';
  const { out, report } = await bench(line, directory);
  assert.ok(!out.includes('hush'));
  assert.match(report.command, /--secret … --delete-secret=…/);
});

test('the sink answers every size that is asked of it, byte for byte', async () => {
  for (const size of ['0', '1', '16KiB', '3MiB']) {
    const { status, load } = await bench(`get size=${size} requests=20 connections=2 --target sink`, directory);
    assert.deepEqual([status, load.requests, load.errors], [0, 20, {}], size);
  }
});

test('one-by-one keeps what it is sent: what is read back is right', async () => {
  const line = 'put size=1B..20KiB requests=60 connections=4 --warm-up 0 --target one-by-one';
  const { status, load } = await bench(line, directory);
  assert.deepEqual([status, load.requests, load.errors], [0, 60, {}]);
});

test('Ctrl-C ends the run with 130, its server and its files', async () => {
  const store = join(directory, 'interrupted');
  mkdirSync(store);
  const line = `put size=64KiB connections=4 --duration 60s --warm-up 0 --target sink --dir ${store}`;
  const { child, ended, output } = start(line.split(' '));
  await measuring(child, output);
  const [folder] = readdirSync(store);
  assert.ok(folder !== undefined);
  assert.equal(processesIn(join(store, folder)).length, 1);
  child.kill('SIGINT');
  const { status, error } = await ended;
  assert.equal(status, 130);
  assert.match(error, /interrupted/);
  assert.deepEqual(readdirSync(store), []);
  assert.deepEqual(processesIn(join(store, folder)), []);
});

/** Processes that run in this folder, or did until it was removed. */
function processesIn(folder: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return readlinkSync(join('/proc', pid, 'cwd')).startsWith(folder);
    } catch {
      // No process, or it has ended meanwhile.
      return false;
    }
  });
}
