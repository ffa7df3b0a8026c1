/**
 * tus-js-client and bare `fetch` in a real Chromium, on a page of another origin: preflights, fields that scripts may read,
 * refusals they can tell apart, and a cut in the middle. Needs the Debian package `chromium`.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { projectRoot } from '../support/project-root.ts';
import { ServerProcess } from '../support/server-process.ts';
import { assertStored } from '../support/tus-wire.ts';
import { UnreliableNetwork } from '../support/unreliable-network.ts';

const SIZE = 3_000_000;
const CHROMIUM = '/usr/bin/chromium';
const PAGE = '<!doctype html><meta charset="utf-8"><script src="/tus.js"></script>';

let server: ServerProcess;
let network: UnreliableNetwork;
let site: Server;
let browser: Browser;
let page: Page;

before(async () => {
  server = await ServerProcess.start();
  network = await UnreliableNetwork.start(server);
  site = createServer((request, response) => {
    const isScript = request.url === '/tus.js';
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? readFileSync(join(projectRoot, 'node_modules/tus-js-client/dist/tus.min.js')) : PAGE);
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] }).catch((error: unknown) => {
    throw new Error('chromium is not installed (Debian: apt-get install chromium)', { cause: error });
  });
  page = await browser.newPage();
  const address = site.address();
  await page.goto(`http://localhost:${typeof address === 'object' ? address?.port : 0}/`);
});

after(async () => {
  await browser?.close();
  await new Promise((resolve) => site.close(resolve));
  await network.stop();
  await server.stop();
});

/** The bytes that the page sends. */
const BODY = Buffer.from(Uint8Array.from({ length: SIZE }, (_, n) => (n * n) >> 3));

interface PageUpload {
  readonly url: string | null;
  /** What the page saw of the requests: method and status. */
  readonly seen: readonly string[];
  readonly error: { readonly status: number; readonly body: string } | null;
}

/** Runs tus-js-client in the page. What runs there is text, because it knows nothing of this file. */
async function uploadInPage(endpoint: string, options: string): Promise<PageUpload> {
  const script = `new Promise((resolve) => {
    const seen = [];
    const bytes = Uint8Array.from({ length: ${SIZE} }, (_, n) => (n * n) >> 3);
    const end = (error) => {
      const response = error?.originalResponse;
      const told = error ? { status: response?.getStatus() ?? 0, body: response?.getBody() ?? String(error) } : null;
      resolve({ url: upload.url, seen, error: told });
    };
    const upload = new tus.Upload(new Blob([bytes]), {
      endpoint: ${JSON.stringify(endpoint)},
      retryDelays: [0, 100, 300, 500],
      onAfterResponse: (request, response) => { seen.push(request.getMethod() + ' ' + response.getStatus()); },
      onSuccess: () => end(null),
      onError: end,
      ...${options},
    });
    upload.start();
  })`;
  return (await page.evaluate(script)) as PageUpload;
}

test('A53 tus-js-client in Chromium uploads to another origin', async () => {
  const endpoint = server.origin + server.signedTarget('browser', SIZE);
  const metadata = `{ metadata: { filename: 'Grüße.bin' }, chunkSize: 1000000, addRequestId: true }`;
  const { url, seen, error } = await uploadInPage(endpoint, metadata);
  assert.equal(error, null);
  assert.match(url ?? '', /\/files\/\.hfs\/u\//);
  assert.deepEqual(seen, ['POST 201', 'PATCH 204', 'PATCH 204', 'PATCH 204']);
  await assertStored(server, 'browser', BODY);
});

test('A53 an upload that is cut in the middle is gone on with', async () => {
  const endpoint = network.origin + server.signedTarget('browser-cut', SIZE);
  const cut = network.cutAfter(1_500_000);
  const { seen, error } = await uploadInPage(endpoint, '{}');
  await cut;
  assert.equal(error, null);
  assert.ok(seen.includes('HEAD 200'), seen.join(', '));
  await assertStored(server, 'browser-cut', BODY);
});

test('A53 T-R4 a script on another origin can read why it was refused', async () => {
  const endpoint = server.origin + server.signedTarget('browser-refused', SIZE + 1);
  const { error } = await uploadInPage(endpoint, '{ retryDelays: null }');
  assert.equal(error?.status, 403);
  assert.equal(JSON.parse(error?.body ?? '{}').title, 'Invalid MAC');
});

test('A53 T-R3 bare fetch can create, append and ask, and reads the fields of the answers', async () => {
  const endpoint = server.origin + server.signedTarget('browser-fetch', 5);
  const script = `(async () => {
    const version = { 'Tus-Resumable': '1.0.0' };
    const endpoint = ${JSON.stringify(endpoint)};
    const created = await fetch(endpoint, { method: 'POST', headers: { ...version, 'Upload-Length': '5' } });
    const url = new URL(created.headers.get('Location'), endpoint);
    const append = { ...version, 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream' };
    const patched = await fetch(url, { method: 'PATCH', headers: append, body: 'hel' });
    const asked = await fetch(url, { method: 'HEAD', headers: version });
    const rest = await fetch(url, { method: 'PATCH', headers: { ...append, 'Upload-Offset': '3' }, body: 'lo' });
    return [created, patched, asked, rest].map((response) => [
      response.status,
      response.headers.get('Upload-Offset'),
      response.headers.get('Upload-Length'),
      response.headers.get('Upload-Expires') !== null,
    ]);
  })()`;
  assert.deepEqual(await page.evaluate(script), [
    [201, '0', null, true],
    [204, '3', null, true],
    [200, '3', '5', true],
    [204, '5', null, false],
  ]);
  await assertStored(server, 'browser-fetch', Buffer.from('hello'));
});
