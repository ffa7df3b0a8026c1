/**
 * Uploads through a real Prosody: the community module in both of its protocols, and Prosody's own module with an
 * external base URL.
 */

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { put, type RawResponse } from '../support/raw-http.ts';
import { ServerProcess, TEST_SECRET } from '../support/server-process.ts';
import { settledTree } from '../support/store-state.ts';
import { type ProsodyDomain, startProsody } from './support/prosody.ts';
import { slotFor } from './support/slixmpp.ts';
import { describeUploads, type Servers } from './support/upload-suite.ts';
import { register } from './support/xmpp-server.ts';

const domains: readonly ProsodyDomain[] = [
  { domain: 'v1.test', block: 'prosody-v1' },
  { domain: 'v2.test', block: 'prosody-v2' },
  { domain: 'share.test', block: 'prosody-file-share' },
];

let servers: Servers | null = null;

function running(): Servers {
  if (servers === null) throw new Error('not started');
  return servers;
}

before(async () => {
  const files = await ServerProcess.start();
  const xmpp = await startProsody({ domains, origin: files.origin, secret: TEST_SECRET }).catch(
    async (error: unknown) => {
      await files.stop();
      throw error;
    },
  );
  servers = { files, xmpp };
});

after(async () => {
  await servers?.xmpp.stop();
  await servers?.files.stop();
});

describeUploads(
  { title: 'Prosody, mod_http_upload_external v1', domain: 'v1.test', signsType: false, refusesEmpty: false },
  running,
);
describeUploads(
  { title: 'Prosody, mod_http_upload_external v2', domain: 'v2.test', signsType: true, refusesEmpty: false },
  running,
);
describeUploads(
  { title: 'Prosody, mod_http_file_share', domain: 'share.test', signsType: false, refusesEmpty: false },
  running,
);

describe('a token of mod_http_file_share', () => {
  it('names its owner, ends within minutes, and is 403 from that second on', async () => {
    const { xmpp, files } = running();
    const account = await register(xmpp, 'tokens', 'share.test');
    const slot = await slotFor(account, { name: 'late.bin', size: 5, type: 'text/plain' });
    const [, head = '', body = ''] = /^Bearer ([^.]+)\.([^.]+)\./.exec(slot.headers['Authorization'] ?? '') ?? [];
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
    assert.equal(claims['sub'], account.jid);
    const nowSeconds = Math.floor(Date.now() / 1_000);
    const lifeSeconds = Number(claims['exp']) - nowSeconds;
    assert.ok(lifeSeconds > 200 && lifeSeconds <= 600, `${lifeSeconds} s`);
    const [, target = ''] = slot.put.split(files.origin);
    const attempt = (changed: Record<string, unknown>): Promise<RawResponse> => {
      const token = signToken(head, { ...claims, ...changed });
      return put(files.port, target, 'right', { Authorization: `Bearer ${token}` });
    };
    const late = await attempt({ exp: nowSeconds - 1 });
    assert.deepEqual([late.status, late.body.toString()], [403, 'Signature expired\n']);
    assert.equal((await attempt({ filename: 'other.bin' })).status, 403);
    assert.equal((await attempt({ filesize: 6 })).status, 403);
    assert.equal((await attempt({})).status, 201);
  });
});

/** The token again with other claims, as whoever knows the secret could sign it. */
function signToken(head: string, claims: Readonly<Record<string, unknown>>): string {
  const input = `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  return `${input}.${createHmac('sha256', TEST_SECRET).update(input).digest('base64url')}`;
}

describe('what Prosody signs and nobody can store', () => {
  for (const [what, name] of [
    ['an empty name', ''],
    ['a dot', '.'],
    ['two dots', '..'],
  ] as const) {
    it(`${what} is 400, and leaves nothing`, async () => {
      const { xmpp, files } = running();
      const account = await register(xmpp, `names-${name.length}`, 'v2.test');
      const before = await settledTree(files);
      const slot = await slotFor(account, { name, size: 5, type: 'text/plain' });
      const [, target = ''] = slot.put.split(files.origin);
      const answer = await put(files.port, target, 'right', { 'Content-Type': 'text/plain' });
      assert.equal(answer.status, 400, slot.put);
      assert.deepEqual(await settledTree(files), before);
    });
  }
});
