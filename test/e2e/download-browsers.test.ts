/** What browsers are given: content that could run is handed over as a download, and no answer says too much. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { content, put, store, urlOf } from '../support/paced-transfer.ts';
import { exchange, requestBytes } from '../support/raw-http.ts';
import { ServerProcess, TEST_SECRET } from '../support/server-process.ts';
import { encodePath, signV2 } from '../support/sign.ts';

const HTML = Buffer.from('<!doctype html><script>alert(document.domain)</script>');
const SANDBOX = "default-src 'none'; frame-ancestors 'none'; sandbox";

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start();
});

after(() => server.stop());

/** Stores HTML under a type that the issuer signed. */
async function storeTyped(key: string, type: string): Promise<string> {
  const mac = signV2(TEST_SECRET, key, HTML.length, type);
  const target = `/files/${encodePath(key)}?v2=${mac}`;
  const answer = await exchange(server.port, requestBytes('PUT', target, { 'Content-Type': type }, HTML));
  assert.equal(answer.status, 201, key);
  return urlOf(server, key);
}

interface Served {
  readonly type: string;
  readonly disposition: string;
}

async function served(url: string): Promise<Served> {
  const response = await fetch(url);
  await response.arrayBuffer();
  assert.equal(response.status, 200);
  isInert(response);
  const field = (name: string): string => response.headers.get(name) ?? '';
  return { type: field('content-type'), disposition: field('content-disposition') };
}

function isInert(response: Response): void {
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(response.headers.get('content-security-policy'), SANDBOX);
}

test('A49 D-43 active content is an attachment, never sniffed, and sandboxed (XEP-0363 §9)', async () => {
  for (const extension of ['html', 'htm', 'svg', 'xml', 'xhtml', 'mht', 'pdf', 'js', 'mjs', 'swf', 'css', 'none', '']) {
    const key = `active/page${extension === '' ? '' : `.${extension}`}`;
    const { disposition } = await served(await store(server, key, HTML));
    assert.match(disposition, /^attachment; filename="page/, key);
  }
});

test('A49 images, video, audio and plain text are shown in place, and sandboxed, too', async () => {
  const types = { png: 'image/png', mp4: 'video/mp4', ogg: 'audio/ogg', txt: 'text/plain; charset=utf-8' };
  for (const [extension, type] of Object.entries(types)) {
    const { disposition, ...rest } = await served(await store(server, `inert/file.${extension}`, HTML));
    assert.deepEqual({ disposition, ...rest }, { type, disposition: '' });
  }
});

test('A49 the sandbox stands on every answer, errors included', async () => {
  const url = await store(server, 'sandboxed.html', HTML);
  const requests: readonly (readonly [url: string, init: RequestInit, status: number])[] = [
    [url, { method: 'HEAD' }, 200],
    [url, { headers: { Range: 'bytes=0-5' } }, 206],
    [url, { headers: { 'If-None-Match': '*' } }, 304],
    [url, { headers: { Range: 'bytes=9999-' } }, 416],
    [url, { headers: { 'If-Match': '"other"' } }, 412],
    [url, { method: 'OPTIONS' }, 200],
    [url, { method: 'DELETE' }, 405],
    [url, { method: 'PUT', body: HTML }, 403],
    [`${url}.none`, {}, 404],
    [urlOf(server, 'a/%00').replace('%2500', '%00'), {}, 400],
    [`${server.origin}/elsewhere`, {}, 404],
    [server.origin + server.signedTarget('sandboxed.html', HTML.length), { method: 'PUT', body: HTML }, 409],
  ];
  for (const [target, init, status] of requests) {
    const response = await fetch(target, init);
    await response.arrayBuffer();
    assert.equal(response.status, status, `${init.method ?? 'GET'} ${target}`);
    isInert(response);
  }
});

test('A50 a signed type is served only when it is one, and active types never in place', async () => {
  const rows: readonly (readonly [key: string, type: string, servedAs: string, isInline: boolean])[] = [
    ['picture.png', 'image/png', 'image/png', true],
    ['drawing.png', 'image/svg+xml', 'image/svg+xml', false],
    ['capitals.png', 'IMAGE/SVG+XML', 'IMAGE/SVG+XML', false],
    ['page.png', 'text/html', 'text/html', false],
    ['parameters.png', 'text/html;x', 'text/html', false],
    ['two.png', 'image/png, text/html', 'application/octet-stream', false],
    ['spaced.png', 'image/png text/html', 'application/octet-stream', false],
    ['bare.png', 'image', 'application/octet-stream', false],
    ['long.png', `image/${'x'.repeat(300)}`, 'application/octet-stream', false],
    ['quoted.png', 'image/png; a="b;c"', 'image/png; a="b;c"', true],
  ];
  for (const [key, type, servedAs, isInline] of rows) {
    const answer = await served(await storeTyped(`typed/${key}`, type));
    assert.equal(answer.type, servedAs, key);
    assert.equal(answer.disposition === '', isInline, key);
  }
});

test('A51 any name becomes one line with an ASCII fallback and an exact filename* (RFC 6266, RFC 8187)', async () => {
  const names = ['say "hi".zip', 'a;b=c.zip', "it's 100%.zip", '😀.zip', 'ü.zip', '%0d%0a.zip', ' .zip'];
  for (const name of [...names, '\u202egpj.exe', '"; filename="evil.html']) {
    const { disposition } = await served(await store(server, `names/${name}`, HTML));
    assert.match(
      disposition,
      /^attachment; filename=(?:"(?:[ !#-[\]-~]|\\["\\])*"|[\w.-]+)(?:; filename\*=UTF-8''\S+)?$/,
    );
    const exact = /filename\*=UTF-8''(\S+)$/.exec(disposition)?.[1];
    const plain = /filename="?((?:[^"\\]|\\.)*)/.exec(disposition)?.[1]?.replace(/\\(.)/g, '$1');
    assert.equal(exact === undefined ? plain : decodeURIComponent(exact), name);
  }
});

test('A51 a name with backslashes is offered without what Windows takes for folders (RFC 6266 §4.3)', async () => {
  const { disposition } = await served(await store(server, 'names/..\\..\\back.zip', HTML));
  assert.equal(disposition, 'attachment; filename="back.zip"');
});

test('A51 a name of 300 letters is cut to 255 bytes and keeps its extension', async () => {
  const { disposition } = await served(await store(server, `names/${'é'.repeat(300)}.zip`, HTML));
  const name = decodeURIComponent(/filename\*=UTF-8''(\S+)$/.exec(disposition)?.[1] ?? '');
  assert.ok(name.endsWith('é.zip'));
  assert.ok(Buffer.byteLength(name) <= 255);
});

test('A52 nothing of a request reaches a field of the answer as a line of its own', async () => {
  const injected = 'X-Injected: 1';
  const file = await store(server, 'plain.txt', HTML);
  assert.equal((await fetch(file)).status, 200);
  const encoded = `%0d%0a${injected.replace(' ', '%20')}`;
  const requests: readonly (readonly [target: string, fields: Record<string, string>])[] = [
    [`/files/x${encoded}`, {}],
    [`/files/x?v=1${encoded}`, {}],
    [`/files/plain.txt?${encoded}`, {}],
    ['/files/plain.txt', { Origin: `https://a${encoded}` }],
    ['/files/plain.txt', { Range: `bytes=0-1${encoded}` }],
    ['/files/plain.txt', { 'If-None-Match': `"${encoded}"` }],
    ['/files/plain.txt', { Origin: 'https://a\t\u00e9\u2028x' }],
    ['/files/plain.txt', { 'X-Request-ID': encoded }],
    ['/files/plain.txt', { Host: `a${encoded}` }],
  ];
  for (const [target, fields] of requests) {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT']) {
      const body = method === 'PUT' ? 'x' : null;
      const answer = await exchange(server.port, requestBytes(method, target, fields, body), {
        isToHead: method === 'HEAD',
      });
      assert.ok(answer.status < 500, `${method} ${target}`);
      for (const [name, value] of answer.fields) {
        assert.notEqual(name, 'x-injected');
        assert.ok(!value.includes('Injected') && !value.includes('https://a'), `${name}: ${value}`);
      }
    }
  }
});

test('A58 errors tell nothing of paths, the system or the software', async () => {
  await store(server, 'said.bin', HTML);
  const origin = server.origin;
  const requests: readonly (readonly [url: string, init: RequestInit])[] = [
    [urlOf(server, 'no/such/file'), {}],
    [`${origin}/elsewhere`, {}],
    [`${origin}/files/%zz`, {}],
    [urlOf(server, 'said.bin/below'), {}],
    [`${urlOf(server, 'said.bin')}?v=1&v=2`, {}],
    [urlOf(server, 'said.bin'), { method: 'POST' }],
    [urlOf(server, 'said.bin'), { headers: { Range: 'bytes=999999-' } }],
    [`${urlOf(server, 'x')}?v=zz`, { method: 'PUT', body: HTML }],
    [`${origin}${server.signedTarget('said.bin/below', HTML.length)}`, { method: 'PUT', body: HTML }],
    [`${origin}${server.signedTarget('said.bin', HTML.length)}`, { method: 'PUT', body: HTML }],
  ];
  for (const [url, init] of requests) {
    const response = await fetch(url, init);
    const body = await response.text();
    assert.ok(response.status >= 400 && response.status < 500, `${url} ${response.status}`);
    assert.match(body, /^[A-Za-z][\w ,.'-]*\n$/);
    const answer = `${[...response.headers].flat().join('\n')}\n${body}`;
    assert.doesNotMatch(answer, /uwebsockets|node\.?js|errno|\.[jt]s:|hmac-file-server/i);
    assert.doesNotMatch(answer, /\bE[A-Z]{4,}\b/);
    assert.ok(!answer.includes(server.storeDir) && !answer.includes('said'));
    for (const name of ['server', 'x-powered-by', 'uwebsockets']) assert.equal(response.headers.get(name), null);
  }
});

test('A59 folders are 404, index.html is a file, and the public port has no pages of the operator', async () => {
  await store(server, 'folder/index.html', HTML);
  const rows: readonly (readonly [path: string, ...statuses: number[]])[] = [
    ['/files/folder/index.html', 200],
    ['/files/folder', 404],
    ['/files/folder/', 400, 404],
    ['/files', 404],
    ['/files/', 400, 404],
    ['/', 404],
    ['/index.html', 404],
    ['/metrics', 404],
    ['/healthz', 404],
    ['/readyz', 404],
    ['/status', 404],
    ['/files/metrics', 404],
    ['/files/healthz', 404],
    ['/files/.hfs/staging', 400, 404],
  ];
  for (const [path, ...statuses] of rows) {
    const response = await fetch(server.origin + path, { redirect: 'manual' });
    const body = Buffer.from(await response.arrayBuffer());
    assert.ok(statuses.includes(response.status), `${path} ${response.status}`);
    if (response.status === 200) assert.ok(body.equals(HTML));
  }
});

test('A60 no answer redirects: of 3xx there is only 304', async () => {
  const key = 'redirects/file.txt';
  assert.equal(await put(server, key, content('redirects', 10)), 201);
  const paths = [
    '/files/redirects',
    '/files//redirects',
    '/files/redirects/',
    '/files/./x',
    '/files/../x',
    '//evil.test',
  ];
  const targets = [
    ...paths,
    '/files',
    '/',
    '/files/redirects/file.txt/',
    '/files/%2e%2e/x',
    '/files/https://evil.test/',
  ];
  for (const target of [...targets, '/files/redirects/file.txt']) {
    for (const method of ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS']) {
      const bytes = requestBytes(method, target, { 'X-Forwarded-Host': 'evil.test' });
      const answer = await exchange(server.port, bytes, { isToHead: method === 'HEAD' });
      assert.ok(answer.status < 300 || answer.status >= 400, `${method} ${target} ${answer.status}`);
      assert.ok(!answer.fields.some(([name]) => name === 'location'));
    }
  }
});
