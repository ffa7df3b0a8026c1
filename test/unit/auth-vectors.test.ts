/**
 * Signatures captured from XMPP servers and computed from the rules, and slot URLs as real clients put them on the wire.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readSlotSignature } from '../../src/main/auth/slot-signature.ts';
import type { FieldLine } from '../../src/main/http/field-line.ts';
import type { FileKey } from '../../src/shared/files.ts';
import { projectRoot } from '../support/project-root.ts';
import { verifyCheck } from '../support/sign.ts';
import { decide, fieldLines, type SlotMessage, type SlotServer, slotServer } from '../support/slot-decision.ts';

interface Expectation {
  readonly result: 'accept' | 'reject';
  readonly status: number;
}

interface ServerSettings {
  readonly base: string;
  readonly secret: string;
  readonly previous_secrets?: readonly string[];
  readonly delete_secret?: string;
  readonly signed_path?: 'relative' | 'full' | 'either';
  readonly now?: number;
}

interface Vector {
  readonly id: string;
  readonly scheme: string;
  readonly request: {
    readonly method: string;
    readonly target: string;
    readonly content_length: string | null;
    readonly content_type: string | null;
    readonly authorization?: string;
  };
  readonly server: ServerSettings;
  readonly signed: { readonly path_hex: string; readonly message_hex: string; readonly claims?: string };
  /** Unix time at which the token is too old. */
  readonly expired_at?: number;
  readonly expect: Expectation;
  readonly expect_by_header_only?: Expectation;
  readonly without_content_type?: { readonly result: string; readonly by_header_only: string };
}

interface Spelling {
  readonly filename: string;
  readonly server: ServerSettings;
  readonly content_length: string;
  readonly content_type: string;
  readonly seen: readonly { readonly client: string; readonly target: string; readonly expect: Expectation }[];
}

const data = join(projectRoot, 'test/data');
const file = JSON.parse(readFileSync(join(data, 'vectors/signatures.json'), 'utf8')) as {
  readonly vectors: readonly Vector[];
  readonly spellings: readonly Spelling[];
};

/** Its size is more than this server counts: the pipeline answers 413, so only its signature is checked. */
const beyondCounting = 'big-2^53+1';
const vectors = file.vectors.filter(({ scheme, id }) => scheme !== 'jwt' && id !== beyondCounting);

function serverOf(settings: ServerSettings, typeByExtension = true): SlotServer {
  return slotServer({
    basePath: settings.base,
    secrets: [settings.secret, ...(settings.previous_secrets ?? [])],
    deleteSecret: settings.delete_secret ?? null,
    signedPath: settings.signed_path ?? 'relative',
    nowSeconds: settings.now ?? 0,
    typeByExtension,
  });
}

function messageOf({ request }: Vector, contentType = request.content_type): SlotMessage {
  const { method, target, content_length, authorization = null } = request;
  const fields = { 'content-length': content_length, 'content-type': contentType, authorization };
  return { method, target, fields: fieldLines(fields) };
}

function hex(text: string): string {
  return Buffer.from(text, 'utf8').toString('hex');
}

test('154 signature vectors are decided as expected, over exactly the signed bytes', () => {
  assert.equal(vectors.length, 154);
  for (const vector of vectors) {
    const decision = decide(messageOf(vector), serverOf(vector.server));
    assert.equal(decision.status, vector.expect.status, vector.id);
    if (vector.expect.result !== 'accept') continue;
    assert.equal(hex(decision.key ?? ''), vector.signed.path_hex, vector.id);
    const texts = decision.check?.messages.map((message) => hex(message.text)) ?? [];
    assert.ok(texts.includes(vector.signed.message_hex), vector.id);
  }
});

test('the vectors hold with TypeByExtension = false too', () => {
  for (const vector of vectors) {
    const expected = vector.expect_by_header_only ?? vector.expect;
    assert.equal(decide(messageOf(vector), serverOf(vector.server, false)).status, expected.status, vector.id);
  }
});

test('58 vectors are decided as expected when the client names no type', () => {
  let count = 0;
  for (const vector of file.vectors) {
    const expected = vector.without_content_type;
    if (expected === undefined) continue;
    count += 1;
    for (const [typeByExtension, result] of [
      [true, expected.result],
      [false, expected.by_header_only],
    ] as const) {
      const { status } = decide(messageOf(vector, null), serverOf(vector.server, typeByExtension));
      assert.equal(status < 300 ? 'accept' : 'reject', result, `${vector.id} ${typeByExtension}`);
    }
  }
  assert.equal(count, 58);
});

test('a size beyond 2^53 is signed digit by digit, and too large for this server', () => {
  const vector = file.vectors.find(({ id }) => id === beyondCounting);
  assert.ok(vector !== undefined);
  const server = serverOf(vector.server);
  assert.equal(decide(messageOf(vector), server).status, 413);
  const key = Buffer.from(vector.signed.path_hex, 'hex').toString('utf8') as FileKey;
  const { content_length: size, content_type: contentType, target } = vector.request;
  const value = new URLSearchParams(target.slice(target.indexOf('?'))).get(vector.scheme);
  const parameters = { v: null, v2: null, v3: null, token: null, expires: null, s: null, [vector.scheme]: value };
  const signature = readSlotSignature(
    { key, parameters, size: size ?? '', contentType, authorization: null, nowSeconds: 0 },
    server,
  );
  assert.ok(signature.kind === 'check' && verifyCheck(signature.check, server.secrets) !== null);
});

test('81 spellings of slot URLs by HTTP libraries give one file each', () => {
  let count = 0;
  for (const { filename, server, content_length, content_type, seen } of file.spellings) {
    const fields = fieldLines({ 'content-length': content_length, 'content-type': content_type });
    for (const { client, target, expect } of seen) {
      const decision = decide({ method: 'PUT', target, fields }, serverOf(server));
      assert.equal(decision.status, expect.status, `${filename} by ${client}`);
      if (expect.result === 'accept') assert.ok(decision.key?.endsWith(`/${filename}`), `${filename} by ${client}`);
      count += 1;
    }
  }
  assert.equal(count, 81);
});

function parseHead(text: string): SlotMessage {
  const [requestLine = '', ...lines] = text.trimEnd().split('\r\n');
  const [method = '', target = ''] = requestLine.split(' ');
  const fields = lines.map((line): FieldLine => {
    const colon = line.indexOf(':');
    return { name: line.slice(0, colon).toLowerCase(), value: line.slice(colon + 1).trim() };
  });
  return { method, target, fields };
}

test('13 heads of real upload requests are decided as expected', () => {
  const index = JSON.parse(readFileSync(join(data, 'requests/index.json'), 'utf8')) as {
    readonly secret: string;
    readonly requests: readonly { readonly file: string; readonly expect: number; readonly now?: number }[];
  };
  assert.equal(index.requests.length, 13);
  for (const { file: name, expect, now: nowSeconds = 0 } of index.requests) {
    const server = slotServer({ basePath: '/upload/', secrets: [index.secret], nowSeconds });
    const head = parseHead(readFileSync(join(data, 'requests', name), 'utf8'));
    assert.equal(decide(head, server).status, expect, name);
  }
});

test('36 vectors of Bearer tokens are decided as expected, and say when the file expires and who uploads it', () => {
  const tokens = file.vectors.filter(({ scheme }) => scheme === 'jwt');
  assert.equal(tokens.length, 36);
  for (const vector of tokens) {
    const decision = decide(messageOf(vector), serverOf(vector.server));
    assert.equal(decision.status, vector.expect.status, vector.id);
    if (vector.expect.result !== 'accept') continue;
    assert.equal(hex(decision.key ?? ''), vector.signed.path_hex, vector.id);
    const { exp, expires, sub } = JSON.parse(vector.signed.claims ?? '{}') as Partial<Record<string, unknown>>;
    const terms = { usableUntilMs: Number(exp) * 1_000, expiresAtMs: Number(expires) * 1_000, owner: sub };
    assert.deepEqual(decision.terms, terms, vector.id);
  }
});

test('23 captured tokens are refused as expired one second after the last one in which they are good', () => {
  let count = 0;
  for (const vector of file.vectors) {
    if (vector.expired_at === undefined) continue;
    count += 1;
    for (const [now, status] of [
      [vector.expired_at - 2, 201],
      [vector.expired_at, 403],
    ] as const) {
      const decision = decide(messageOf(vector), serverOf({ ...vector.server, now }));
      assert.equal(decision.status, status, vector.id);
      if (status === 403) assert.deepEqual([decision.title, decision.result], ['Signature expired', 'expired']);
    }
  }
  assert.equal(count, 23);
});
