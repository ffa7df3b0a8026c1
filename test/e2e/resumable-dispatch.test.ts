/** Which request is whose (resumable.md 2): methods, upload URLs, OPTIONS, and a server that speaks no resumable protocol. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as draft from '../support/draft-wire.ts';
import { exchange, fieldOf, get, put, RawConnection, type RawResponse, requestBytes } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';
import { eventually, publicTreeOf, treeWithoutMarks } from '../support/store-state.ts';
import {
  appendFields,
  assertStored,
  create,
  head,
  locationOf,
  offsetOf,
  patch,
  post,
  VERSION,
} from '../support/tus-wire.ts';

const SIZE = 6;

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start();
});

after(() => server.stop());

function request(method: string, target: string, fields: Readonly<Record<string, string>> = {}): Promise<RawResponse> {
  return exchange(server.port, requestBytes(method, target, fields), { isToHead: method === 'HEAD' });
}

/** An upload URL that nobody was given. */
function foreign(path: string): string {
  const last = path.at(-1) === 'A' ? 'B' : 'A';
  return path.slice(0, -1) + last;
}

test('a POST says by X-HTTP-Method-Override that it is a PATCH, DELETE or HEAD, and nothing else', async () => {
  const path = await create(server, 'overridden', SIZE);
  const say = (method: string, fields = {}): Promise<RawResponse> =>
    post(server, path, { ...VERSION, 'X-HTTP-Method-Override': method, ...fields }, '');
  for (const method of ['GET', 'PUT', 'OPTIONS', 'POST', 'patch', 'TRACE', '', 'PATCH, DELETE']) {
    assert.equal((await say(method)).status, 400, method);
  }
  const twice = `POST ${path} HTTP/1.1\r\nHost: test\r\nTus-Resumable: 1.0.0\r\nContent-Length: 0\r\n`;
  const lines = 'X-HTTP-Method-Override: DELETE\r\nX-HTTP-Method-Override: HEAD\r\n\r\n';
  assert.equal((await exchange(server.port, twice + lines)).status, 400);
  const told = await say('HEAD');
  assert.deepEqual([told.status, fieldOf(told, 'upload-offset'), told.body.length], [200, '0', 0]);
  const appended = await say('PATCH', { ...appendFields(0) });
  assert.equal(appended.status, 204);
  assert.equal((await say('DELETE')).status, 204);
  assert.equal((await head(server, path)).status, 404);
});

test('the field is looked at on POST only: a GET stays a GET, a PUT a PUT', async () => {
  const fields = { 'X-HTTP-Method-Override': 'DELETE' };
  assert.equal((await put(server.port, server.signedTarget('kept', 3), 'abc', fields)).status, 201);
  assert.equal((await request('GET', '/files/kept', fields)).body.toString(), 'abc');
  assert.equal((await get(server.port, '/files/kept')).status, 200);
});

test('an overridden method does not reach files: POST as HEAD, PATCH or DELETE of a file is 405', async () => {
  assert.equal((await put(server.port, server.signedTarget('a-file', 3), 'abc')).status, 201);
  for (const method of ['HEAD', 'PATCH', 'DELETE']) {
    const response = await request('POST', server.signedTarget('a-file', 3), { 'X-HTTP-Method-Override': method });
    assert.equal(response.status, 405, method);
    assert.equal(response.body.toString().includes('abc'), false);
  }
  assert.equal((await get(server.port, '/files/a-file')).body.toString(), 'abc');
});

test('a POST that speaks no resumable protocol is 405 with what files do have, and creates nothing', async () => {
  const before = treeWithoutMarks(server.storeDir);
  for (const fields of [{}, { 'Upload-Length': '6' }, { 'Upload-Complete': 'true' }]) {
    const response = await request('POST', server.signedTarget('nothing', SIZE), fields);
    assert.equal(response.status, 405);
    assert.equal(fieldOf(response, 'allow'), 'OPTIONS, GET, HEAD, PUT');
    assert.equal(fieldOf(response, 'location'), null);
  }
  assert.deepEqual(treeWithoutMarks(server.storeDir), before);
});

test('upload URLs have HEAD, PATCH, DELETE and OPTIONS; GET shows nothing of an upload that tus made', async () => {
  const path = await create(server, 'methods', SIZE);
  for (const [method, fields] of [
    ['PUT', {}],
    ['POST', {}],
    ['PUT', VERSION],
    ['POST', VERSION],
    ['TRACE', VERSION],
  ] as const) {
    const response = await request(method, path, fields);
    assert.equal(response.status, 405, method);
    // IETF: GET is like HEAD.
    assert.match(fieldOf(response, 'allow') ?? '', /^OPTIONS, HEAD, (?:GET, )?PATCH, DELETE$/, method);
  }
  assert.equal((await request('OPTIONS', path)).status, 200);
  assert.equal((await request('GET', path)).status, 404);
  assert.equal((await request('GET', path, VERSION)).status, 404);
});

test('GET of an upload that the IETF draft made answers as HEAD does', async () => {
  const path = await draft.begin(server, 'final', 'got', SIZE);
  const response = await request('GET', path);
  assert.deepEqual([response.status, fieldOf(response, 'upload-offset')], [204, '0']);
});

test('an upload is gone on with by the protocol that made it: tus without Tus-Resumable is 412, the other way 404', async () => {
  const tus = await create(server, 'of-tus', SIZE);
  for (const method of ['HEAD', 'DELETE']) {
    const response = await request(method, tus);
    assert.equal(response.status, 412, method);
    assert.equal(fieldOf(response, 'tus-version'), '1.0.0');
  }
  assert.equal(await offsetOf(server, tus), 0);
  const ietf = await draft.begin(server, 'final', 'of-ietf', SIZE);
  for (const method of ['HEAD', 'DELETE']) assert.equal((await request(method, ietf, VERSION)).status, 404, method);
  assert.equal((await request('HEAD', ietf)).status, 204);
});

test('every way in which an upload URL can be wrong looks the same', async () => {
  const path = await create(server, 'wrong-urls', SIZE);
  const [base = '', name = ''] = path.split('/.hfs/u/');
  const [id = '', mac = ''] = name.split('.');
  const names = [
    name.replace(id, '0'.repeat(32)),
    `${id}.${'A'.repeat(22)}`,
    foreign(name),
    `${id}.${mac}A`,
    `${id}.${mac.slice(1)}`,
    `${id.toUpperCase()}.${mac}`,
    id,
    `${id}.`,
    'x',
    '0'.repeat(128),
  ];
  for (const [method, fields] of [
    ['HEAD', VERSION],
    ['PATCH', appendFields(0)],
    ['DELETE', VERSION],
    ['HEAD', {}],
    ['DELETE', {}],
    ['GET', {}],
  ] as const) {
    const answers = await Promise.all(names.map((wrong) => request(method, `${base}/.hfs/u/${wrong}`, fields)));
    const [first] = answers;
    assert.equal(first?.status, 404);
    const seen = answers.map(({ status, fields: lines, body }) =>
      JSON.stringify([status, dateless(lines), body.toString()]),
    );
    assert.deepEqual(new Set(seen).size, 1, `${method} ${seen.join('\n')}`);
  }
  assert.equal(await offsetOf(server, path), 0);
});

function dateless(lines: RawResponse['fields']): RawResponse['fields'] {
  return lines.filter(([name]) => name !== 'date');
}

test('nobody stores an answer about an upload URL, and no browser passes the URL on, whatever the answer', async () => {
  const path = await create(server, 'private', SIZE);
  const ietf = await draft.begin(server, 8, 'private-too', SIZE);
  const answers = await Promise.all([
    head(server, path),
    patch(server, path, 0, 'abc'),
    patch(server, path, 0, 'abc'),
    request('PUT', path),
    request('GET', path),
    request('HEAD', foreign(path), VERSION),
    request('HEAD', path),
    request('HEAD', ietf),
    request('PATCH', ietf),
    request('POST', path, { 'X-HTTP-Method-Override': 'GET' }),
    request('DELETE', path, VERSION),
  ]);
  for (const answer of answers) {
    assert.equal(fieldOf(answer, 'cache-control'), 'no-store', `${answer.status}`);
    assert.equal(fieldOf(answer, 'referrer-policy'), 'no-referrer', `${answer.status}`);
    assert.equal(fieldOf(answer, 'access-control-allow-origin'), '*', `${answer.status}`);
    assert.equal(fieldOf(answer, 'x-content-type-options'), 'nosniff', `${answer.status}`);
  }
});

test('T-C21 a slash at the end of an endpoint is ignored on POST alone', async () => {
  const [path = '', query = ''] = server.signedTarget('endpoint', SIZE).split('?');
  const fields = { ...VERSION, 'Upload-Length': String(SIZE) };
  const upload = locationOf(await post(server, `${path}/?${query}`, fields));
  assert.equal((await patch(server, upload, 0, 'abcdef')).status, 204);
  await assertStored(server, 'endpoint', Buffer.from('abcdef'));
  const [other = ''] = server.signedTarget('other-endpoint', SIZE).split('?');
  assert.equal((await post(server, `${other}//?${query}`, fields)).status, 400);
  assert.equal((await put(server.port, `${path}/?${query}`, 'abcdef')).status, 400);
});

test('what may be said once is refused when it stands twice, and nothing changes', async () => {
  const path = await create(server, 'twice', SIZE);
  const send = (target: string, method: string, lines: readonly string[], body = ''): Promise<RawResponse> =>
    exchange(
      server.port,
      `${method} ${target} HTTP/1.1\r\nHost: test\r\n${lines.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  const tus = ['Tus-Resumable: 1.0.0', 'Content-Type: application/offset+octet-stream'];
  const before = publicTreeOf(server.storeDir);
  const refused = await Promise.all([
    send(path, 'PATCH', [...tus, 'Upload-Offset: 0', 'Upload-Offset: 0'], 'abc'),
    send(path, 'PATCH', [...tus, 'Upload-Offset: 0', 'Upload-Length: 6', 'Upload-Length: 6'], 'abc'),
    send(server.signedTarget('t1', 6), 'POST', [...tus, 'Upload-Length: 6', 'Upload-Length: 6']),
    send(server.signedTarget('t2', 6), 'POST', [...tus, 'Upload-Concat: partial', 'Upload-Concat: partial']),
    send(server.signedTarget('t3', 6), 'PUT', ['Content-Range: bytes 0-2/6', 'Content-Range: bytes 0-2/6'], 'abc'),
    send(server.signedTarget('t4', 3), 'PUT', ['Upload-Complete: ?1', 'Upload-Complete: ?1'], 'abc'),
    send(server.signedTarget('t5', 3), 'PUT', ['Upload-Incomplete: ?0', 'Upload-Incomplete: ?1'], 'abc'),
  ]);
  for (const [index, { status }] of refused.entries()) assert.equal(status, 400, `${index}`);
  assert.equal(await offsetOf(server, path), 0);
  assert.deepEqual(publicTreeOf(server.storeDir), before);
});

test('OPTIONS describes every protocol, wherever it is asked, without authorisation', async () => {
  const answers = await Promise.all(
    [server.signedTarget('a', 1), '/files/a', '/files/.hfs/u/x', '/elsewhere'].map((target) =>
      request('OPTIONS', target),
    ),
  );
  for (const answer of answers) {
    assert.deepEqual([answer.status, answer.body.length], [200, 0]);
    assert.equal(fieldOf(answer, 'tus-version'), '1.0.0');
    assert.match(fieldOf(answer, 'upload-limit') ?? '', /^min-size=0/);
    assert.match(fieldOf(answer, 'accept-patch') ?? '', /application\/partial-upload/);
    assert.match(fieldOf(answer, 'access-control-allow-methods') ?? '', /PATCH/);
  }
});

test('Location is absolute with PublicOrigin, and never follows Host or X-Forwarded-Host', async () => {
  const fields = { ...VERSION, 'Upload-Length': '6', 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'ftp' };
  assert.match(locationOf(await post(server, server.signedTarget('path-only', 6), fields)), /^\/files\/\.hfs\/u\//);
  const settings = { PublicOrigin: 'https://files.example.org' };
  const absolute = await ServerProcess.start({ settings });
  try {
    const location = locationOf(await post(absolute, absolute.signedTarget('absolute', 6), fields));
    assert.ok(location.startsWith('https://files.example.org/files/.hfs/u/'), location);
  } finally {
    await absolute.stop();
  }
});

test('ResumableUploadsEnabled = false: 405, nothing is described, and a cut upload leaves nothing at all', async () => {
  const off = await ServerProcess.start({ settings: { ResumableUploadsEnabled: false } });
  const ask = (method: string, target: string, fields: Readonly<Record<string, string>>): Promise<RawResponse> =>
    exchange(off.port, requestBytes(method, target, fields), { isToHead: method === 'HEAD' });
  try {
    const upload = `/files/.hfs/u/${'0'.repeat(32)}.${'A'.repeat(22)}`;
    const tus = { ...VERSION, 'Upload-Length': '6' };
    assert.equal((await ask('POST', off.signedTarget('a', 6), tus)).status, 405);
    for (const method of ['POST', 'PATCH', 'DELETE']) assert.equal((await ask(method, upload, VERSION)).status, 405);
    assert.equal((await ask('HEAD', upload, VERSION)).status, 404);
    const described = (await ask('OPTIONS', '/files/a', {})).fields.map(([name]) => name);
    for (const name of described) assert.doesNotMatch(name, /^(?:tus-|upload-|accept-patch)/);
    assert.equal(
      (await put(off.port, off.signedTarget('b', 6), 'abc', { 'Content-Range': 'bytes 0-2/6' })).status,
      400,
    );
    assert.equal((await put(off.port, off.signedTarget('c', 3), 'abc', { 'Upload-Complete': '?0' })).status, 400);
    assert.equal((await put(off.port, off.signedTarget('d', 3), 'abc', { 'Upload-Complete': '?1' })).status, 201);
    assert.equal(
      (await put(off.port, off.signedTarget('e', 3), 'abc', { 'Content-Range': 'bytes 0-2/3' })).status,
      201,
    );
    const before = treeWithoutMarks(off.storeDir);
    const cut = await RawConnection.open(off.port);
    await cut.send(requestBytes('PUT', off.signedTarget('f', 6), { 'Content-Length': '6' }), 'abc');
    await off.event('upload.created', 10_000, (line) => line['size_bytes'] === 6);
    cut.drop();
    await eventually(() => off.stagingFiles().length === 0, 'the cut upload is gone');
    assert.deepEqual(treeWithoutMarks(off.storeDir), before);
  } finally {
    await off.stop();
  }
});
