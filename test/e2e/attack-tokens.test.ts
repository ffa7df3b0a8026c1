/** Attacks by Bearer tokens, over a socket against the running server. A refused upload leaves nothing. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { put, RawConnection, requestBytes } from '../support/raw-http.ts';
import { ServerProcess, TEST_SECRET } from '../support/server-process.ts';
import { signJwt } from '../support/sign.ts';
import { settledTree } from '../support/store-state.ts';

const BODY = 'abcde';
const SIZE = BODY.length;
const NO_MAC = "No HMAC attached to URL. Expecting 'v', 'v2', or 'token' parameter as MAC\n";
const later = Math.floor(Date.now() / 1_000) + 600;

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start();
});

after(() => server.stop());

test('A41 a token that is expired, unsigned, malformed, too long or of another slot is 403, in bounded time', async () => {
  const claims = { slot: 'tokens', filename: 'a.png', filesize: SIZE, exp: later };
  const token = (changed: object, header?: object): string => signJwt(TEST_SECRET, { ...claims, ...changed }, header);
  const [header = '', payload = ''] = token({}).split('.');
  const before = await settledTree(server);
  const attempts: readonly (readonly [token: string, text: string])[] = [
    [token({ exp: later - 700 }), 'Signature expired\n'],
    [token({}, { alg: 'none' }), 'Invalid token\n'],
    [token({}, { alg: 'HS512' }), 'Invalid token\n'],
    [token({}, { alg: 'HS256', crit: ['exp'] }), 'Invalid token\n'],
    [token({ slot: 'other' }), 'Invalid token\n'],
    [token({ filesize: SIZE + 1 }), 'Invalid token\n'],
    [token({ exp: undefined }), 'Invalid token\n'],
    [signJwt('another-secret-of-a-stranger', claims), 'Invalid token\n'],
    [`${header}.${payload}.`, 'Invalid token\n'],
    [`${header}.${payload}`, 'Invalid token\n'],
    ['x', 'Invalid token\n'],
    ['x'.repeat(8_000), 'Invalid token\n'],
    ['', NO_MAC],
  ];
  for (const [value, text] of attempts) {
    const startedMs = performance.now();
    const response = await put(server.port, '/files/tokens/a.png', BODY, { Authorization: `Bearer ${value}` });
    assert.deepEqual([response.status, response.body.toString()], [403, text], value.slice(0, 80));
    assert.ok(performance.now() - startedMs < 1_000);
  }
  const long = { Authorization: `Bearer ${token({ padding: 'x'.repeat(1_000_000) })}` };
  const startedMs = performance.now();
  const connection = await RawConnection.open(server.port);
  await connection.send(requestBytes('PUT', '/files/tokens/a.png', long, BODY));
  // The transport takes no head of that size, and closes: the reset may overtake its answer, as more is being sent.
  const answer = await connection.response().catch(() => null);
  assert.ok(answer === null ? connection.isClosed : answer.status === 431);
  connection.drop();
  assert.ok(performance.now() - startedMs < 3_000);
  assert.deepEqual(await settledTree(server), before);
  const right = await put(server.port, '/files/tokens/a.png', BODY, { Authorization: `Bearer ${token({})}` });
  assert.equal(right.status, 201);
});
