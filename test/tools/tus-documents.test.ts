/** The programs of docs/tus-clients.md, as printed, in Node.js and in Chromium. Needs the Debian package `chromium`. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { programsIn } from '../support/code-blocks.ts';
import { content } from '../support/paced-transfer.ts';
import { projectRoot } from '../support/project-root.ts';
import { ServerProcess } from '../support/server-process.ts';
import { assertStored } from '../support/tus-wire.ts';

const SIZE = 2_000_000;
const BODY = content('tus-documents', SIZE);
const runFile = promisify(execFile);
const programs = programsIn('docs/tus-clients.md');

let folder: string;
let server: ServerProcess;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tus-documents-'));
  symlinkSync(join(projectRoot, 'node_modules'), join(folder, 'node_modules'));
  for (const [name, code] of programs) writeFileSync(join(folder, name), code);
  server = await ServerProcess.start();
});

after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

test('the document shows a program for Node.js and a page', () => {
  assert.deepEqual([...programs.keys()], ['upload.mjs', 'upload.html']);
});

test('upload.mjs uploads a file and prints its URL', async () => {
  const file = join(folder, 'node.bin');
  writeFileSync(file, BODY);
  const endpoint = server.origin + server.signedTarget('node.bin', SIZE);
  const { stdout } = await runFile(process.execPath, [join(folder, 'upload.mjs'), file, endpoint], { cwd: folder });
  assert.equal(stdout, `${server.origin}/files/node.bin\n`);
  await assertStored(server, 'node.bin', BODY);
});

test('upload.mjs fails, and says why, when the signature is wrong', async () => {
  const file = join(folder, 'refused.bin');
  writeFileSync(file, BODY);
  const endpoint = server.origin + server.signedTarget('refused.bin', SIZE + 1);
  const run = runFile(process.execPath, [join(folder, 'upload.mjs'), file, endpoint], { cwd: folder });
  await assert.rejects(run, { code: 1, stderr: /response code: 403, response text: .*Invalid MAC/ });
});

/** The page and its back end, which signs a URL for a name and a size. */
function serveSite(): Promise<Server> {
  const site = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost');
    if (url.pathname === '/slot') {
      const key = url.searchParams.get('name') ?? '';
      response.end(server.origin + server.signedTarget(key, Number(url.searchParams.get('size'))));
    } else if (url.pathname === '/tus.min.js') {
      response.setHeader('Content-Type', 'text/javascript');
      response.end(readFileSync(join(projectRoot, 'node_modules/tus-js-client/dist/tus.min.js')));
    } else {
      response.setHeader('Content-Type', 'text/html');
      response.end(programs.get('upload.html'));
    }
  });
  return new Promise((resolve) => site.listen(0, '127.0.0.1', () => resolve(site)));
}

test('upload.html uploads the file that is chosen, and shows its URL', async () => {
  const site = await serveSite();
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage();
    const address = site.address();
    await page.goto(`http://localhost:${typeof address === 'object' ? address?.port : 0}/upload.html`);
    await page.setInputFiles('#file', { name: 'Grüße.bin', mimeType: 'application/octet-stream', buffer: BODY });
    await page.waitForFunction(`document.getElementById('result').textContent !== ''`, undefined, { timeout: 20_000 });
    const path = `/files/${encodeURIComponent('Grüße.bin')}`;
    assert.equal(await page.textContent('#result'), server.origin + path);
    await assertStored(server, encodeURIComponent('Grüße.bin'), BODY);
  } finally {
    await browser.close();
    await new Promise((resolve) => site.close(resolve));
  }
});
