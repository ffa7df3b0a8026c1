/** What the log says about uploads whose signature does not fit: which field differs, and never a MAC. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { put } from '../support/raw-http.ts';
import { type LogLine, ServerProcess, TEST_SECRET } from '../support/server-process.ts';
import { hmacHex, signJwt, signV, signV2 } from '../support/sign.ts';

const BODY = 'abcde';
const SIZE = BODY.length;

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start({ settings: { TypeByExtension: false } });
});

after(() => server.stop());

/** The line about the refusal of an upload to this path. */
async function refusal(key: string, query: string, fields: Readonly<Record<string, string>> = {}): Promise<LogLine> {
  assert.equal((await put(server.port, `/files/${key}${query}`, BODY, fields)).status, 403, query);
  return server.event('signature.refused', 10_000, ({ path }) => path === `/files/${key}`);
}

test('the line about a refused signature says which field differs', async () => {
  const token = signJwt('another-secret-of-a-stranger', { slot: 'a', filename: 'b', filesize: SIZE, exp: 9e9 });
  const lines = [
    await refusal('1', `?v=${signV(TEST_SECRET, 'files/1', SIZE)}`),
    await refusal('2.png', `?v2=${signV2(TEST_SECRET, '2.png', SIZE, 'image/png')}`, { 'Content-Type': 'x/y' }),
    await refusal('3', `?v=${signV(TEST_SECRET, '3', SIZE + 16)}`),
    await refusal('4', `?v2=${signV(TEST_SECRET, '4', SIZE)}`),
    await refusal('5', `?v=${hmacHex(`${TEST_SECRET}\n`, `5 ${SIZE}`)}`),
    await refusal('a/b', '', { Authorization: `Bearer ${token}` }),
    await refusal('a/c', '', { Authorization: `Bearer ${token}` }),
    await refusal('6', `?v=${signV('another-secret-of-a-stranger', '6', SIZE)}`),
  ];
  assert.deepEqual(
    lines.map(({ differs }) => differs),
    ['path', 'type', 'size', 'scheme', 'secret', 'secret', 'path', undefined],
  );
  assert.equal(lines[0]?.['hint'], 'the path was signed with UploadSubDir in front: see SignedPath');
  assert.equal(lines[1]?.['hint'], 'the type of the extension was signed: see TypeByExtension');
  assert.deepEqual([lines[0]?.['remote'], lines[0]?.['size_bytes']], ['127.0.0.1', SIZE]);
});

test('no line carries a MAC, a token or a secret', async () => {
  const mac = signV(TEST_SECRET, 'files/7', SIZE);
  await refusal('7', `?v=${mac}`);
  const log = JSON.stringify(server.lines);
  for (const text of [mac, signV(TEST_SECRET, '7', SIZE), TEST_SECRET]) assert.ok(!log.includes(text));
});
