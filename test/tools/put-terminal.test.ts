/** `put` on a terminal: a bar that fits it. Needs `script` (Debian: bsdutils), which makes one. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { content } from '../support/paced-transfer.ts';
import { projectRoot } from '../support/project-root.ts';
import { ServerProcess } from '../support/server-process.ts';

const SIZE = 40_000_000;
const COLUMNS = 72;
const CLEAR_LINE = '\r\x1b[K';

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start();
});

after(() => server.stop());

test('draws a bar that fits the terminal, wipes it, and ends with how long it took and the URL', () => {
  const file = join(server.folder, 'film.mkv');
  writeFileSync(file, content('put-terminal', SIZE));
  const url = server.origin + server.signedTarget('film.mkv', SIZE);
  const put = `${process.execPath} ${join(projectRoot, 'dist/src/main/entry.cjs')} put ${file} '${url}'`;
  const { stdout, stderr, status, error } = spawnSync('script', ['-qec', `stty cols ${COLUMNS}; ${put}`, '/dev/null'], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
    timeout: 60_000,
  });
  assert.equal(error, undefined, 'script is not installed (Debian: apt-get install bsdutils)');
  assert.equal(status, 0, stdout + stderr);
  const [drawn, ended = ''] = [stdout.split(CLEAR_LINE).slice(1, -1), stdout.split(CLEAR_LINE).at(-1)];
  assert.ok(drawn.length > 2, `${drawn.length} lines were drawn`);
  for (const line of drawn) assert.ok(line.length < COLUMNS && !line.includes('\n'), JSON.stringify(line));
  const bars = drawn.filter((line) => /^film\.mkv +[█▏▎▍▌▋▊▉░]+ +[0-9]+% {2}/u.test(line));
  assert.ok(bars.length >= 2, JSON.stringify(drawn));
  assert.ok(bars.some((line) => line.includes('100%')));
  const [summary, printed] = ended.split('\r\n');
  assert.match(summary ?? '', /^film\.mkv {2}40 MB in [0-9.]+ s, [0-9.]+ [kMG]B\/s$/);
  assert.equal(printed, `${server.origin}/files/film.mkv`);
});
