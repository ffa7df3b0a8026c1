/** Why a signature was refused, for the log: common mistakes are found out, others are not guessed, and floods cost little. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { authorizeUpload } from '../../src/main/auth/grant.ts';
import { questionAbout } from '../../src/main/auth/signature-readings.ts';
import { parseSlotQuery } from '../../src/main/auth/slot-parameters.ts';
import { hintFields } from '../../src/main/events/signature-hints.ts';
import { LaneClient } from '../../src/main/lanes/lane-client.ts';
import { SignatureExplainer } from '../../src/main/signature-explainer.ts';
import { BufferPool } from '../../src/shared/buffers.ts';
import type { FileKey } from '../../src/shared/files.ts';
import type { ToLaneBatch } from '../../src/shared/messages.ts';
import type { SignatureHint } from '../../src/shared/signature.ts';
import { explainSignature } from '../../src/workers/explain-signature.ts';
import { hmacHex, signJwt, signV, signV2 } from '../support/sign.ts';
import { type SlotServer, slotServer } from '../support/slot-decision.ts';

const SECRET = 'the-secret-of-these-hints';
const KEY = 'a b/Grüße.png';
const SIZE = 1_000;
const TYPE = 'image/x-own';

interface Attempt {
  readonly query?: string;
  readonly authorization?: string;
  readonly server?: Partial<SlotServer>;
  readonly secrets?: readonly [string, ...string[]];
}

function hintOf({ query = '', authorization, server = {}, secrets = [SECRET] }: Attempt): SignatureHint | null {
  const rules = slotServer(server);
  const parsed = parseSlotQuery(query);
  assert.ok(parsed.kind === 'parameters');
  const outcome = authorizeUpload(
    {
      key: KEY as FileKey,
      parameters: parsed.parameters,
      contentType: TYPE,
      authorization: authorization ?? null,
      sizeBytes: SIZE,
      nowSeconds: 0,
      protocol: 'put',
    },
    rules,
  );
  if (outcome.kind === 'refused') return outcome.signature?.hint ?? null;
  return explainSignature(questionAbout(outcome.grant, rules), secrets);
}

const v = (path: string, size: number | string = SIZE): string => `v=${signV(SECRET, path, size)}`;
const v2 = (path: string, size: number | string = SIZE, type = TYPE): string =>
  `v2=${signV2(SECRET, path, size, type)}`;
const claims = { slot: 'a b', filename: 'Grüße.png', filesize: SIZE, exp: 1_000 };
const bearer = (secret: string, changed: object = {}): Attempt => ({
  authorization: `Bearer ${signJwt(secret, { ...claims, ...changed })}`,
});

const mistakes: readonly (readonly [SignatureHint | null, string, Attempt])[] = [
  ['whole-path', 'the path with UploadSubDir', { query: v(`files/${KEY}`) }],
  ['whole-path', 'the same with v2', { query: v2(`files/${KEY}`) }],
  ['relative-path', 'the path without it where it is expected', { query: v(KEY), server: { signedPath: 'full' } }],
  ['slash', 'a slash in front', { query: v(`/${KEY}`) }],
  ['slash', 'a slash in front of the whole path', { query: v2(`/files/${KEY}`) }],
  ['encoded-path', 'the path as it stands in the URL', { query: v('a%20b/Gr%C3%BC%C3%9Fe.png') }],
  ['encoded-path', 'the same in lower case', { query: v2('a%20b/gr%c3%bc%c3%9fe.png'.replace('gr', 'Gr')) }],
  [
    'extension-type',
    'the type of the extension',
    { query: v2(KEY, SIZE, 'image/png'), server: { typeByExtension: false } },
  ],
  ['type', 'a type of the table', { query: v2(KEY, SIZE, 'video/mp4') }],
  ['type', 'no type', { query: v2(KEY, SIZE, '') }],
  ['size', 'the size of the plain text', { query: v(KEY, SIZE - 16) }],
  ['size', 'the same with v2', { query: v2(KEY, SIZE - 16) }],
  ['size', 'a fraction', { query: v(KEY, '1000.0') }],
  ['scheme', 'v2 as v', { query: `v=${signV2(SECRET, KEY, SIZE, 'application/octet-stream')}` }],
  ['scheme', 'v as v2', { query: `v2=${signV(SECRET, KEY, SIZE)}` }],
  ['scheme', 'the path alone', { query: `v=${hmacHex(SECRET, KEY)}` }],
  ['secret-space', 'a line feed in the secret of the issuer', { query: `v=${signV(`${SECRET}\n`, KEY, SIZE)}` }],
  ['secret-space', 'blanks in ours', { query: v(KEY), secrets: [` ${SECRET} `] }],
  ['secret', 'a token of another secret', bearer('another-secret-of-a-stranger')],
  ['path', 'a token for another slot', bearer(SECRET, { slot: 'other' })],
  ['size', 'a token for another size', bearer(SECRET, { filesize: SIZE + 1_000_000 })],
  [null, 'another secret', { query: `v=${signV('another-secret-of-a-stranger', KEY, SIZE)}` }],
  [null, 'another path', { query: v('other') }],
  [null, 'a size far off', { query: v(KEY, SIZE + 1_000) }],
  [null, 'a token that is none', { authorization: 'Bearer x.y.z' }],
];

for (const [hint, what, attempt] of mistakes) {
  test(`${what} signed instead: ${hint ?? 'not found out'}`, () => assert.equal(hintOf(attempt), hint));
}

test('a mistake is found with a previous secret too', () => {
  assert.equal(hintOf({ query: v(`files/${KEY}`), secrets: ['the-current-secret-of-this', SECRET] }), 'whole-path');
});

test('the line says in which field, and what to look at', () => {
  const { differs, hint } = hintFields('whole-path');
  assert.deepEqual([differs, hint], ['path', 'the path was signed with UploadSubDir in front: see SignedPath']);
  assert.deepEqual(hintFields(null), { differs: undefined, hint: undefined });
});

test('A47 an explanation takes at most some hundred HMACs, whatever the request', () => {
  const long = slotServer({ typeByExtension: true });
  const texts = (query: string): number => {
    const parsed = parseSlotQuery(query);
    assert.ok(parsed.kind === 'parameters');
    const slot = { key: `${'ü'.repeat(500)}.txt` as FileKey, parameters: parsed.parameters, contentType: 'x/y; a=b' };
    const request = { ...slot, authorization: null, sizeBytes: 5, nowSeconds: 0, protocol: 'put' as const };
    const outcome = authorizeUpload(request, long);
    assert.ok(outcome.kind === 'granted');
    return questionAbout(outcome.grant, long).readings.length;
  };
  assert.ok(texts(v('x')) < 100);
  assert.ok(texts(v2('x')) < 500);
});

test('A47 of a flood ten in a second are looked into, the others are told at once that nothing is known', async () => {
  const { port1, port2 } = new MessageChannel();
  const buffers = new BufferPool({ sizes: [1_024], maxBytes: 1_024 });
  const lane = new LaneClient({ name: 'lane', port: port1, buffers });
  const explainer = new SignatureExplainer({ uploadLane: () => lane });
  const hints: (SignatureHint | null)[] = [];
  const question = { mac: '0'.repeat(64), texts: [], readings: [], otherwise: null };
  for (let count = 0; count < 1_000; count += 1)
    explainer.explain(
      () => question,
      (hint) => hints.push(hint),
    );
  assert.deepEqual([hints.length, lane.transfers], [990, 10]);
  const [messages] = (await once(port2, 'message')) as [ToLaneBatch];
  assert.equal(messages.filter(({ type }) => type === 'signature.explain').length, 10);
  const answers = messages.flatMap((message) =>
    message.type === 'signature.explain'
      ? [{ type: 'signature.explained', transfer: message.transfer, hint: 'size', buffer: null }]
      : [],
  );
  port2.postMessage(answers.slice(0, 4));
  await once(port1, 'message');
  lane.lost({ code: 'worker-lost', detail: 'test' });
  assert.deepEqual(hints.slice(990), [...Array(4).fill('size'), ...Array(6).fill(null)]);
  port2.close();
});
