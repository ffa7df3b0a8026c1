/** `bench --baseline`: the working tree against a revision of a small repository made for this test. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runBench } from '../../bench/index.ts';
import type { Report } from '../../bench/result.ts';
import { projectRoot } from '../support/project-root.ts';

/** A server that reads the port from its configuration and takes `delayMs` for every answer. */
function serverSource(delayMs: number): string {
  return `import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
const port = Number(/:(\\d+)"/.exec(readFileSync(process.argv[4] ?? '', 'utf8'))?.[1]);
createServer((request, response) => {
  request.resume().on('end', () => setTimeout(() => response.writeHead(201).end(), ${delayMs}));
}).listen(port, '127.0.0.1');
`;
}

const TSCONFIG = {
  compilerOptions: {
    target: 'es2023',
    module: 'nodenext',
    types: ['node'],
    rootDir: '.',
    rewriteRelativeImportExtensions: true,
  },
  include: ['src'],
};

let folder = '';
let repository = '';
let stores = '';

function git(...args: string[]): string {
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.org', '-c', 'commit.gpgsign=false'];
  return execFileSync('git', ['-C', repository, ...identity, ...args], { encoding: 'utf8' });
}

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'bench-baseline-'));
  repository = join(folder, 'repository');
  stores = join(folder, 'stores');
  mkdirSync(join(repository, 'src/main'), { recursive: true });
  mkdirSync(stores);
  symlinkSync(join(projectRoot, 'node_modules'), join(repository, 'node_modules'));
  writeFileSync(join(repository, 'package.json'), '{"type":"module"}');
  writeFileSync(join(repository, 'package-lock.json'), '{}');
  writeFileSync(join(repository, 'tsconfig.json'), JSON.stringify(TSCONFIG));
  writeFileSync(join(repository, '.gitignore'), '/node_modules\n/dist/\n');
  writeFileSync(join(repository, 'src/main/index.ts'), serverSource(0));
  git('init', '--quiet', '--initial-branch', 'main');
  git('add', '.');
  git('commit', '--quiet', '--message', 'quick');
  writeFileSync(join(repository, 'src/main/index.ts'), serverSource(40));
});

after(() => {
  rmSync(folder, { recursive: true });
});

async function compareWithMain(...more: string[]): Promise<{ status: number; out: string; error: string }> {
  let out = '';
  let error = '';
  const line = `put size=1KiB requests=8 --warm-up 0 --no-read-back --baseline main --dir ${stores} --json -`;
  const status = await runBench([...line.split(' '), ...more], {
    environment: {},
    workingFolder: join(repository, 'src'),
    writeOut: (text) => {
      out += text;
    },
    writeError: (text) => {
      error += text;
    },
    isTerminal: false,
    columns: 80,
  });
  return { status, out, error };
}

test('a slower working tree fails against the revision, and nothing is left in the repository', async () => {
  const { status, out, error } = await compareWithMain('--min-ratio', '0.9');
  assert.equal(status, 1, error);
  const [comparison] = (JSON.parse(out) as Report).comparisons;
  const commit = git('rev-parse', '--short', 'main').trim();
  assert.deepEqual([comparison?.first.target, comparison?.second.target], ['working tree', commit]);
  assert.equal(comparison?.isEnough, false);
  assert.ok((comparison?.ratio ?? 1) < 0.7);
  assert.equal(git('worktree', 'list').trim().split('\n').length, 1);
  assert.deepEqual(readdirSync(stores), []);
  assert.deepEqual(git('status', '--porcelain').trim(), 'M src/main/index.ts');
});

test('a revision that does not exist ends with 2 and says so', async () => {
  const { status, error } = await compareWithMain('--baseline', 'no-such-revision');
  assert.equal(status, 2);
  assert.match(error, /no-such-revision|Needed a single revision/);
  assert.deepEqual(readdirSync(stores), []);
});
