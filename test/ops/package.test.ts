/** The package as users get it: what it holds, and that it runs when npm has installed it from the tarball. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { type ProgramRun, runProgram } from '../support/program.ts';
import { projectRoot } from '../support/project-root.ts';

interface Packed {
  readonly filename: string;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

let folder = '';
let packed: Packed;
let tarball = '';

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'package-'));
  const { stdout, stderr } = await npm(projectRoot, 'pack', '--json', '--pack-destination', folder);
  const [first] = JSON.parse(stdout) as Packed[];
  assert.ok(first !== undefined, stderr);
  packed = first;
  tarball = join(folder, packed.filename);
});

after(() => rmSync(folder, { recursive: true }));

/** npm with a cache of the test, so that nothing of it stays. */
function npm(cwd: string, ...args: readonly string[]): Promise<ProgramRun> {
  const environment = { ...process.env, npm_config_cache: join(folder, 'cache') };
  return runProgram('npm', ['--no-audit', '--no-fund', '--fetch-retries=1', ...args], {
    debian: 'npm',
    cwd,
    environment,
  });
}

test('holds what runs and what operators need, and nothing of its making', () => {
  const paths = packed.files.map(({ path }) => path);
  const places = [
    /^(?:package\.json|config\.toml|LICENSE|(?:README|ARCHITECTURE|CHANGELOG)\.md)$/,
    /^dist\/(?:src|bench)\/.+\.c?js$/,
    /^src\/main\/status\/page\/\w+\.(?:html|css|js)$/,
    /^docs\/[\w-]+\.md$/,
    /^deploy\/.+$/,
  ];
  assert.deepEqual(
    paths.filter((path) => !places.some((place) => place.test(path))),
    [],
  );
  for (const path of [
    'dist/src/main/entry.cjs',
    'dist/src/workers/lane-entry.js',
    'dist/src/workers/job-entry.js',
    'dist/bench/index.js',
    'src/main/status/page/status.html',
    'docs/operations.md',
    'deploy/systemd/hmac-file-server.service',
    'deploy/man/hmac-file-server.1',
    'config.toml',
  ]) {
    assert.ok(paths.includes(path), path);
  }
  assert.ok(packed.unpackedSize < 4_000_000, `${packed.unpackedSize} bytes`);
});

test('installed globally, the command serves an upload and gives it back', async () => {
  const prefix = join(folder, 'prefix');
  const { status, stderr } = await npm(folder, 'install', '--global', '--prefix', prefix, tarball);
  assert.equal(status, 0, stderr);
  const command = join(prefix, 'bin', 'hmac-file-server');
  const version = await runProgram(command, ['--version'], { debian: 'npm' });
  const { version: expected } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as Record<
    string,
    string
  >;
  assert.equal(version.stdout, `${expected}\n`);

  const cwd = join(folder, 'work');
  mkdirSync(cwd);
  assert.equal((await runProgram(command, ['init'], { debian: 'npm', cwd })).status, 0);
  const environment = {
    PATH: process.env['PATH'],
    HMAC_FILE_SERVER_LISTENPORT: '127.0.0.1:0',
    HMAC_FILE_SERVER_METRICSPORT: '127.0.0.1:0',
  };
  const child = spawn(command, ['serve'], { cwd, env: environment, stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = once(child, 'exit');
  const { listen, metrics } = await started(createInterface(child.stdout));
  const sign = ['sign', 'a.txt', '5', '--protocol', 'v', '--origin', `http://${listen}`];
  const url = (await runProgram(command, sign, { debian: 'npm', cwd })).stdout.trim();
  assert.equal((await fetch(url, { method: 'PUT', body: 'hello' })).status, 201);
  assert.equal(await (await fetch(url.replace(/\?.*/, ''))).text(), 'hello');
  assert.equal((await fetch(`http://${metrics}/status/uplot.js`)).status, 200);
  child.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
});

test('npx runs it without an installation', async () => {
  const cwd = join(folder, 'npx');
  mkdirSync(cwd);
  writeFileSync(join(cwd, 'config.toml'), 'StoreDir = "files"\nSecret = "a-secret-that-only-tests-know"\n', {
    mode: 0o600,
  });
  const args = ['exec', '--yes', `--package=${tarball}`, '--', 'hmac-file-server', 'check-config'];
  const { status, stdout, stderr } = await npm(cwd, ...args);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^StoreDir = "files"/m);
});

/** The ports of a server that writes its log as JSON. */
async function started(lines: AsyncIterable<string>): Promise<Readonly<Record<'listen' | 'metrics', string>>> {
  for await (const line of lines) {
    const event = JSON.parse(line) as { readonly event?: string; readonly listen: string; readonly metrics: string };
    if (event.event === 'server.started') return event;
  }
  throw new Error('the server did not start');
}
