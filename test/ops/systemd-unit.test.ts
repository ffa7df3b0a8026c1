/** The systemd unit, by systemd's own tools, and its system call filter held against what the server really calls. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ProgramRun, runProgram } from '../support/program.ts';
import { projectRoot } from '../support/project-root.ts';
import { ServerProcess } from '../support/server-process.ts';

const unit = join(projectRoot, 'deploy', 'systemd', 'hmac-file-server.service');
const text = readFileSync(unit, 'utf8');

/** Tenths; 10 is 1.0 on systemd's scale from 0 to 10. */
const MAX_EXPOSURE_TENTHS = 13;
/** V8 asks for memory protection keys, and does without when it gets none. */
const DISPENSABLE = ['pkey_alloc'];

function analyze(...args: readonly string[]): Promise<ProgramRun> {
  return runProgram('systemd-analyze', args, { debian: 'systemd' });
}

test('A86 the exposure of the unit is at most 1.3', async () => {
  const args = ['security', '--offline=true', `--threshold=${MAX_EXPOSURE_TENTHS}`, unit];
  const { status, stdout } = await analyze(...args);
  assert.equal(status, 0, stdout);
});

test('systemd understands every line', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'unit-'));
  try {
    // The executable is not installed here, and neither is the manual page.
    const copy = text
      .replaceAll('/usr/local/bin/hmac-file-server', process.execPath)
      .replace(/^Documentation=.*\n/m, '');
    const file = join(folder, 'hmac-file-server.service');
    writeFileSync(file, copy);
    const { status, stdout, stderr } = await analyze('verify', file);
    assert.deepEqual([status, stdout + stderr], [0, '']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a stop has more time than the server takes, and a wrong configuration is not tried again', () => {
  assert.ok(Number(/^TimeoutStopSec=(\d+)$/m.exec(text)?.[1]) > 30);
  assert.match(text, /^RestartPreventExitStatus=78$/m);
});

/** System calls by group, as systemd knows them. */
async function callGroups(): Promise<ReadonlyMap<string, readonly string[]>> {
  const { stdout } = await analyze('syscall-filter');
  const groups = new Map<string, string[]>();
  let members: string[] = [];
  for (const line of stdout.split('\n')) {
    const name = /^@[\w-]+/.exec(line)?.[0];
    if (name !== undefined) {
      members = [];
      groups.set(name, members);
    } else if (/^ {4}[@\w]/.test(line)) members.push(line.trim());
  }
  return groups;
}

function expand(groups: ReadonlyMap<string, readonly string[]>, names: readonly string[]): readonly string[] {
  return names.flatMap((name) => (name.startsWith('@') ? expand(groups, groups.get(name) ?? []) : [name]));
}

test('the filter lets through every system call that the server makes from its start to its end', async () => {
  const groups = await callGroups();
  const filters = [...text.matchAll(/^SystemCallFilter=(~?)(.+)$/gm)];
  const of = (sign: string): string[] =>
    filters.filter(([, mark]) => mark === sign).flatMap(([, , names = '']) => names.split(' '));
  const allowed = new Set(expand(groups, of('')));
  for (const name of expand(groups, of('~'))) allowed.delete(name);
  const trace = join(mkdtempSync(join(tmpdir(), 'trace-')), 'calls');
  const server = await ServerProcess.start({ prefix: ['strace', '-D', '-f', '-qq', '-o', trace] });
  try {
    const put = await fetch(server.origin + server.signedTarget('a.txt', 5), { method: 'PUT', body: 'hello' });
    assert.equal(put.status, 201);
    assert.equal(await (await fetch(`${server.origin}/files/a.txt`)).text(), 'hello');
    assert.equal((await fetch(`${server.operatorOrigin}/metrics`)).status, 200);
  } finally {
    await server.stop();
  }
  const calls = [...readFileSync(trace, 'utf8').matchAll(/^\d+ +(\w+)\(/gm)].map(([, name = '']) => name);
  rmSync(join(trace, '..'), { recursive: true });
  assert.ok(calls.includes('fdatasync') && calls.includes('epoll_pwait'), 'nothing was traced');
  const denied = [...new Set(calls)].filter((name) => !allowed.has(name));
  assert.deepEqual(
    denied.filter((name) => !DISPENSABLE.includes(name)),
    [],
  );
});
