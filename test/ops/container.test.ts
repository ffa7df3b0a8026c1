/**
 * The container image without Docker: its files are put together as the Dockerfile says, and its command, its health
 * check and its stop signal are tried on them. What this cannot show is that Docker itself accepts the file.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { configKeyNames } from '../../src/main/config/config-schema.ts';
import { copiesOf, environmentOf, readDockerfile, restOf, wordsOf } from '../support/dockerfile.ts';
import { runProgram } from '../support/program.ts';
import { projectRoot } from '../support/project-root.ts';

const stages = readDockerfile();
const image = stages.at(-1) ?? [];

test('builds on an image with glibc and the Node of package.json, and runs as nobody special', () => {
  for (const stage of stages) assert.match(restOf(stage, 'FROM'), /^node:20-bookworm-slim\b/);
  assert.equal(restOf(image, 'USER'), 'node');
  assert.equal(restOf(image, 'STOPSIGNAL'), 'SIGTERM');
});

test('copies nothing that is missing, or that .dockerignore keeps out', () => {
  const allowed = readFileSync(join(projectRoot, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  const sources = stages.flatMap((stage) =>
    copiesOf(stage).flatMap(({ isFromStage, sources: paths }) => (isFromStage ? [] : paths)),
  );
  for (const source of sources) {
    assert.ok(existsSync(join(projectRoot, source)), source);
    assert.ok(allowed.includes(source.split('/')[0] ?? ''), `${source} is kept out by .dockerignore`);
  }
  const used = new Set(sources.map((source) => source.split('/')[0]));
  assert.deepEqual(
    allowed.filter((path) => !used.has(path)),
    [],
  );
});

test('sets only variables that the server knows', () => {
  const keys = new Set(configKeyNames.map((name) => `HMAC_FILE_SERVER_${name.toUpperCase()}`));
  const others = Object.keys(environmentOf(image)).filter((name) => !keys.has(name));
  assert.deepEqual(others, ['NODE_ENV', 'MALLOC_TRIM_THRESHOLD_']);
});

/** Everything that the last stage copies, in a folder of the test. */
function assemble(folder: string): void {
  for (const { isFromStage, sources, target } of copiesOf(image)) {
    for (const source of sources) {
      const from = join(projectRoot, isFromStage ? source.replace('/build/', '') : source);
      const to = join(folder, target.endsWith('/') ? join(target, source) : target);
      mkdirSync(dirname(to), { recursive: true });
      if (source.endsWith('node_modules')) symlinkSync(from, to);
      else cpSync(from, to, { recursive: true });
    }
  }
}

test('the files of the image serve, are healthy, and stop with status 0', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'container-'));
  try {
    const app = join(folder, 'app');
    assemble(app);
    const [command = '', ...args] = [...wordsOf(image, 'ENTRYPOINT'), ...wordsOf(image, 'CMD')].map((word) =>
      word.replace('/app/', `${app}/`),
    );
    const environment = {
      PATH: process.env['PATH'],
      ...environmentOf(image),
      HMAC_FILE_SERVER_LISTENPORT: '127.0.0.1:0',
      HMAC_FILE_SERVER_METRICSPORT: '127.0.0.1:0',
      HMAC_FILE_SERVER_STOREDIR: join(folder, 'data', 'files'),
    };
    mkdirSync(join(folder, 'data'));
    const child = spawn(command, args, { cwd: app, env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    const operator = await operatorOf(createInterface(child.stdout));
    const [probe = '', ...words] = wordsOf(image, 'HEALTHCHECK');
    const check = (address: string) =>
      runProgram(
        probe,
        words.map((word) => word.replace('127.0.0.1:9090', address)),
        { debian: 'nodejs' },
      );
    assert.equal((await check(operator)).status, 0);
    assert.equal((await fetch(`http://${operator}/status`)).status, 200);
    child.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null]);
    assert.equal((await check(operator)).status, 1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** The address of the operator's port, as the log names it. */
async function operatorOf(lines: AsyncIterable<string>): Promise<string> {
  for await (const line of lines) {
    const { event, metrics } = JSON.parse(line) as { readonly event?: string; readonly metrics?: string };
    if (event === 'server.started' && metrics !== undefined) return metrics;
  }
  throw new Error('the server did not start');
}
