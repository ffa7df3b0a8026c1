/** The cheap checks of an upload, in the order in which they are answered. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorizeUpload, type UploadAuthorization, type UploadRequest } from '../../src/main/auth/grant.ts';
import { parseSlotQuery } from '../../src/main/auth/slot-parameters.ts';
import type { FileKey } from '../../src/shared/files.ts';
import { slotServer } from '../support/slot-decision.ts';

const mac = '0'.repeat(64);

function authorize(
  query: string,
  settings: Partial<UploadRequest> = {},
  rules: Parameters<typeof slotServer>[0] = {},
): UploadAuthorization {
  const parsed = parseSlotQuery(query);
  assert.ok(parsed.kind === 'parameters');
  const { parameters } = parsed;
  const key = 'a/b.PNG' as FileKey;
  const slot = { key, parameters, contentType: null, authorization: null, sizeBytes: 12, nowSeconds: 0 };
  return authorizeUpload({ ...slot, protocol: 'put', ...settings }, slotServer(rules));
}

function statusOf(outcome: UploadAuthorization): number {
  return outcome.kind === 'refused' ? outcome.problem.status : 0;
}

test('grants a well-formed signature for exactly one file and size', () => {
  const outcome = authorize(`v=${mac}`);
  assert.ok(outcome.kind === 'granted');
  assert.deepEqual(outcome.grant, {
    key: 'a/b.PNG',
    sizeBytes: 12,
    protocol: 'put',
    signature: { scheme: 'v', mac, messages: [{ text: 'a/b.PNG 12', storedType: null }] },
    triedTypes: [],
    terms: { usableUntilMs: null, expiresAtMs: null, owner: null },
  });
});

test('a missing length is answered before the signature is looked at (411)', () => {
  const outcome = authorize('', { sizeBytes: null });
  assert.equal(statusOf(outcome), 411);
  assert.ok(outcome.kind === 'refused' && outcome.signature === null && outcome.problem.closesConnection);
});

test('an unsigned or malformed request gets its 403 before extension and limit are looked at', () => {
  const rules = { allowedExtensions: new Set(['txt']), maxUploadBytes: 1 };
  for (const query of ['', 'v=zz', 'v=ab', `v3=${mac}&expires=0`]) {
    const outcome = authorize(query, {}, rules);
    assert.ok(outcome.kind === 'refused' && outcome.signature !== null, query);
    assert.equal(outcome.problem.status, 403);
  }
});

test('an extension that is not allowed is 403 with the list, and comes before the limit', () => {
  const outcome = authorize(`v=${mac}`, {}, { allowedExtensions: new Set(['txt', 'pdf']), maxUploadBytes: 1 });
  assert.ok(outcome.kind === 'refused');
  assert.equal(outcome.problem.status, 403);
  assert.equal(outcome.problem.title, 'Disallowed file extension. Allowed extensions are: .txt, .pdf');
  assert.equal(outcome.signature, null);
});

test('extensions compare in lower case; names without one need the empty entry', () => {
  const allow = (extension: string, key: string): number =>
    statusOf(authorize(`v=${mac}`, { key: key as FileKey }, { allowedExtensions: new Set([extension]) }));
  assert.equal(allow('png', 'a.PNG'), 0);
  assert.equal(allow('htaccess', '.htaccess'), 0);
  assert.equal(allow('gz', 'a.tar.gz'), 0);
  assert.equal(allow('png', 'a'), 403);
  assert.equal(allow('', 'a'), 0);
  assert.equal(allow('', 'a.png'), 403);
});

test('the size limit is inclusive (413 above it)', () => {
  assert.equal(statusOf(authorize(`v=${mac}`, {}, { maxUploadBytes: 12 })), 0);
  assert.equal(statusOf(authorize(`v=${mac}`, {}, { maxUploadBytes: 11 })), 413);
  assert.equal(statusOf(authorize(`v=${mac}`, { sizeBytes: 0 }, { maxUploadBytes: 0 })), 0);
});
