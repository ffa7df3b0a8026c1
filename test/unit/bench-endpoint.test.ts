/** Where the harness sends requests and how it signs them. */

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { deleteTarget, type Endpoint, readTarget, writeTarget } from '../../bench/endpoint.ts';
import { TargetError } from '../../bench/targets/target.ts';
import { type UrlTargetSettings, urlEndpoint } from '../../bench/targets/url-target.ts';

const SECRET = 'open sesame';

function endpoint(url: string, changes: Partial<UrlTargetSettings> = {}): Endpoint {
  return urlEndpoint({
    url,
    secret: SECRET,
    signatureForm: 'v',
    mediaType: 'image/png',
    isUntrusted: false,
    keepsUploads: true,
    deletion: { kind: 'none' },
    pid: null,
    ...changes,
  });
}

function mac(message: string): string {
  return createHmac('sha256', SECRET).update(message).digest('hex');
}

test('uploads below a prefix are signed over path and size, with the type in v2', () => {
  const v = endpoint('http://127.0.0.1:8080/files/');
  assert.equal(writeTarget(v, 'a/b.bin', 7), `/files/a/b.bin?v=${mac('a/b.bin 7')}`);
  assert.equal(readTarget(v, 'a/b.bin', 7), '/files/a/b.bin');
  const v2 = endpoint('http://127.0.0.1:8080/files/', { signatureForm: 'v2' });
  assert.equal(writeTarget(v2, 'a/b.bin', 7), `/files/a/b.bin?v2=${mac('a/b.bin\0' + '7\0image/png')}`);
  assert.equal(writeTarget(endpoint('http://h/d/', { secret: null }), 'x', 1), '/d/x');
});

test('a template says itself where path, size and signatures stand', () => {
  const template = endpoint('http://h/up/{path}?len={size}&token={v2}&x=1');
  assert.equal(writeTarget(template, 'p', 3), `/up/p?len=3&token=${mac('p\0' + '3\0image/png')}&x=1`);
  assert.equal(readTarget(template, 'p', 3), '/up/p');
});

test('a URL that ends in a name is one file to read', () => {
  const fixed = endpoint('https://example.org/pub/file.iso?x=1');
  assert.deepEqual(
    [fixed.objects, fixed.keepsUploads, readTarget(fixed, 'ignored', 5), fixed.port, fixed.isTls],
    ['fixed', false, '/pub/file.iso?x=1', 443, true],
  );
});

test('host, port and authority come from the URL as they stand there', () => {
  const cases: [string, string, number, string][] = [
    ['http://files.example.org/', 'files.example.org', 80, 'files.example.org'],
    ['http://files.example.org:8080/', 'files.example.org', 8080, 'files.example.org:8080'],
    ['http://[::1]:8080/', '::1', 8080, '[::1]:8080'],
    ['http://127.0.0.1', '127.0.0.1', 80, '127.0.0.1'],
  ];
  for (const [url, host, port, authority] of cases) {
    const found = endpoint(url);
    assert.deepEqual([found.host, found.port, found.authority], [host, port, authority], url);
  }
});

test('no URL, or a signature without a secret, is refused', () => {
  for (const url of ['ftp://h/', 'http://', 'h/files/', 'http://h/a b/']) {
    assert.throws(() => endpoint(url), TargetError, url);
  }
  assert.throws(() => endpoint('http://h/{path}?v={v}', { secret: null }), /needs a secret/);
});

test('deletion is plain, signed with the delete secret, or not offered', () => {
  assert.equal(deleteTarget(endpoint('http://h/f/'), 'p'), null);
  assert.equal(deleteTarget(endpoint('http://h/f/', { deletion: { kind: 'plain' } }), 'p'), '/f/p');
  const signed = endpoint('http://h/f/', { deletion: { kind: 'signed', deleteSecret: 'gone' } });
  assert.equal(deleteTarget(signed, 'p'), `/f/p?token=${mac('p\0gone')}`);
});
