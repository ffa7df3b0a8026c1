/**
 * What the documents print works as printed. Each fenced block is run here, or listed in blocks-elsewhere.ts with what
 * runs it or why nothing does. Needs the Debian packages `curl` and `openssl`.
 */

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseBenchOptions } from '../../bench/bench-options.ts';
import { allBlocks, type CodeBlock, nameOf, programsIn } from '../support/code-blocks.ts';
import { runProgram } from '../support/program.ts';
import { projectRoot } from '../support/project-root.ts';
import { TEST_SECRET } from '../support/server-process.ts';
import { signV2 } from '../support/sign.ts';
import { type BlockName, linesNotRun, notRun, runElsewhere } from './support/blocks-elsewhere.ts';
import { DELETE_SECRET, DocumentedSite, SECRET } from './support/documented-site.ts';

type Run = (block: CodeBlock) => Promise<void>;

let site: DocumentedSite;

before(async () => {
  for (const program of ['curl', 'openssl']) await runProgram(program, ['--version'], { debian: program });
  site = await DocumentedSite.start();
});

after(() => site.server.stop());

/** Blocks that are run, by the beginning of their names. */
const runs: readonly (BlockName & { readonly run: Run })[] = [
  { document: 'CONTRIBUTING.md', block: 'npm ci', run: runScripts },
  { document: 'README.md', block: 'npm run -s build', run: runReadmeCommands },
  { document: 'docs/benchmarks.md', block: 'bench put-64k get-16k   ', run: runBenchLines },
  { document: 'docs/benchmarks.md', block: 'bench put-64k put-1m', run: runBenchLines },
  { document: 'docs/benchmarks.md', block: 'bench put size=2GiB', run: runBenchLines },
  { document: 'docs/benchmarks.md', block: 'bench put-64k get-16k --target', run: runBenchLines },
  { document: 'docs/benchmarks.md', block: 'bench put-64k --durability', run: runBenchLines },
  { document: 'docs/benchmarks.md', block: 'bench append', run: runBenchLines },
  { document: 'docs/migration.md', block: '1. hmac-file-server check-config', run: runMigration },
  { document: 'docs/put.md', block: '$ hmac-file-server put', run: runPut },
  { document: 'docs/security.md', block: 'npm run test:attacks', run: runScripts },
  { document: 'docs/signatures.md', block: "secret='the secret'", run: signInShell },
  { document: 'docs/signatures.md', block: 'Component "upload.example.org"', run: compareWithProsody },
  { document: 'docs/signing.md', block: 'SECRET=… node sign.mjs', run: runSigning },
];

/** Blocks that are run whatever they hold, by language. */
const languages: Readonly<Record<string, Run>> = { toml: checkConfiguration, json: parseJson };

const names = ({ document, block }: BlockName, of: CodeBlock): boolean =>
  document === of.document && nameOf(of).startsWith(block);

/** What stands at the end of a command line to explain it. */
const beside = /(?:\s+#|\s{3,}).*$/;

const blocks = allBlocks();
const entries: readonly BlockName[] = [...runs, ...runElsewhere, ...notRun];

test('every block is run here, is run elsewhere, or says why not', () => {
  assert.ok(blocks.length > 30);
  for (const block of blocks) {
    const ways = entries.filter((entry) => names(entry, block)).length + (block.language in languages ? 1 : 0);
    assert.equal(ways, 1, `${block.document}: ${ways} ways to treat the block ${nameOf(block)}`);
  }
});

test('every entry names one block, and every line that is left out stands in one', () => {
  for (const entry of entries) {
    assert.equal(blocks.filter((block) => names(entry, block)).length, 1, `${entry.document}: ${entry.block}`);
  }
  const lines = blocks.flatMap(commandsOf);
  for (const beginning of Object.keys(linesNotRun)) {
    assert.ok(
      lines.some((line) => line.startsWith(beginning)),
      beginning,
    );
  }
});

test('what runs blocks elsewhere exists and names the document', () => {
  for (const { by, document } of runElsewhere) {
    assert.ok(existsSync(join(projectRoot, by)), by);
    assert.ok(readFileSync(join(projectRoot, by), 'utf8').includes(document.replace(/^README\.md$/, 'README')), by);
  }
});

describe('as printed', () => {
  for (const block of blocks) {
    const run = languages[block.language] ?? runs.find((entry) => names(entry, block))?.run;
    if (run !== undefined) test(`${block.document}: ${titleOf(block)}`, () => run(block));
  }
});

/** Its name without what is explained beside it. */
function titleOf(block: CodeBlock): string {
  return nameOf(block).replace(beside, '');
}

/** The command lines of a block: without numbers in front of them, and what is explained beside them. */
function commandsOf({ text }: CodeBlock): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/^\d\. /, '').replace(beside, ''))
    .filter((line) => line !== '' && !line.startsWith('…'));
}

function commandsToRun(block: CodeBlock): readonly string[] {
  return commandsOf(block).filter((line) => !Object.keys(linesNotRun).some((beginning) => line.startsWith(beginning)));
}

/** The whole file, or what is in it and the keys without a default. */
async function checkConfiguration({ text }: CodeBlock): Promise<void> {
  const file = join(site.server.folder, 'printed.toml');
  const missing = /^StoreDir = /m.test(text) ? '' : `StoreDir = "${site.server.storeDir}"\n`;
  writeFileSync(file, missing + text.replace('<Secret>', TEST_SECRET), { mode: 0o600 });
  const { stderr } = await site.shell('hmac-file-server check-config --config printed.toml');
  assert.equal(stderr, 'printed.toml: no mistakes\n');
}

async function parseJson({ text }: CodeBlock): Promise<void> {
  assert.equal(typeof JSON.parse(text), 'object');
}

/** Every npm script is there, and runs in .ci/run or here; what it is said to need is installed by .ci/run. */
async function runScripts(block: CodeBlock): Promise<void> {
  const everything = readFileSync(join(projectRoot, '.ci/run'), 'utf8');
  const { scripts } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { scripts: object };
  for (const [, name = ''] of block.text.matchAll(/npm run ([\w:-]+)/g)) assert.ok(name in scripts, name);
  for (const line of commandsToRun(block)) {
    if (line === 'npm run bench -- --help') await site.shell('hmac-file-server bench --help');
    else assert.ok(everything.includes(`\n${line.replace(/^sudo /, '')}`), `.ci/run does not run ${line}`);
  }
  const text = block.text.replaceAll(/\s+#\s/g, ' ');
  const lists = [...text.matchAll(/\(Debian: ([^):…]*)/g)].map(([, list = '']) => list.trim().split(/\s+/));
  assert.ok(lists.length > 0);
  for (const name of lists.flat()) assert.match(everything, new RegExp(`[ ']${name}[\\s']`), name);
}

async function runReadmeCommands(block: CodeBlock): Promise<void> {
  const uploaded = site.file('a.jpg', 12_345);
  const entry = 'node dist/src/main/entry.cjs';
  const commands = commandsToRun(block).map((line) => line.replace('URL', `"$(${entry} sign a.jpg 12345)"`));
  assert.ok(commands.every((line) => line.startsWith(entry)));
  await site.shell(commands.join('\n'));
  await site.assertStored('a.jpg', uploaded);
}

/** Every line is understood; those that take a moment run, with shorter loads. */
async function runBenchLines(block: CodeBlock): Promise<void> {
  const inPlace = (line: string): string =>
    line
      .replace('BENCH_SECRET=…', `BENCH_SECRET='${SECRET}'`)
      .replace('--delete-secret …', `--delete-secret '${DELETE_SECRET}'`)
      .replace('https://files.example.org', site.server.origin)
      .replace('duration=10s', 'duration=100ms')
      .replace(/\bbench /, 'hmac-file-server bench ');
  for (const line of commandsOf(block)) {
    const words = line
      .replace(/^.*?bench /, '')
      .replaceAll("'", '')
      .split(/\s+/);
    assert.equal(typeof parseBenchOptions(words, { BENCH_SECRET: SECRET }), 'object', line);
  }
  for (const line of commandsToRun(block)) await site.shell(`${inPlace(line)} --duration 100ms --warm-up 0`);
}

/** The old file is that of the Go server 3.x. */
async function runMigration(block: CodeBlock): Promise<void> {
  const commands = commandsToRun(block).filter((line) => line.startsWith('hmac-file-server'));
  assert.equal(commands.length, 1);
  writeFileSync(join(site.server.folder, 'old.toml'), '[server]\nlisten_address = "8080"\n', { mode: 0o600 });
  const command = commands.join().replace('/etc/old/config.toml', 'old.toml');
  const { stderr } = await site.shell(`status=0; ${command} || status=$?; [ $status = 78 ]`);
  assert.match(stderr, /"server\.listen_address": write ListenPort = /);
}

async function runPut({ text }: CodeBlock): Promise<void> {
  const film = site.file('film.mkv', 58_000);
  const [, command = ''] = /^\$ (.*)$/m.exec(text) ?? [];
  const { stdout } = await site.shell(command);
  const printed = text.trimEnd().split('\n').at(-1);
  assert.equal(stdout.trimEnd(), printed?.replace('https://files.example.org', site.server.origin));
  await site.assertStored('film.mkv', film);
}

async function signInShell({ text }: CodeBlock): Promise<void> {
  const uploaded = site.file('hello.txt', 500);
  const address = 'http://127.0.0.1:8080';
  assert.ok(text.includes(address));
  await site.shell(text.replace(address, site.server.origin));
  await site.assertStored('3f2b8c1e/hello.txt', uploaded);
}

/** Its lines stand in the block of docs/xmpp.md that test:xmpp runs with the real Prosody. */
async function compareWithProsody({ text }: CodeBlock): Promise<void> {
  const lines = programsIn('docs/xmpp.md').get('prosody-file-share')?.split('\n') ?? [];
  for (const line of text.replace('the secret', '<Secret>').split('\n')) assert.ok(lines.includes(line), line);
}

async function runSigning({ text }: CodeBlock): Promise<void> {
  writeFileSync(join(site.server.folder, 'sign.mjs'), programsIn('docs/signing.md').get('sign.mjs') ?? '');
  const { stdout } = await site.shell(text.replace('…', `'${SECRET}'`));
  const [path, size, type] = ['3f2b8c1e/holiday.jpg', 48_213, 'image/jpeg'] as const;
  assert.equal(stdout.trimEnd(), `https://files.example.org/files/${path}?v2=${signV2(SECRET, path, size, type)}`);
}
