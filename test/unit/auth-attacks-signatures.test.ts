/** Attacks on signatures that the pure code decides. Each title begins with the number of the attack. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldLine } from '../../src/main/http/field-line.ts';
import { hmacHex, signDelete, signV, signV2, signV3 } from '../support/sign.ts';
import { decide, put, type SlotServer, slotServer, wholePath } from '../support/slot-decision.ts';

const secret = 'your-very-secure-secret-key';
const server = slotServer();

function queryStatus(query: string): number {
  return decide(put(`/files/a.png?${query}`, 5, 'image/png'), server).status;
}

const rightV = signV(secret, 'a.png', 5);
const rightV2 = signV2(secret, 'a.png', 5, 'image/png');
const rightV3 = `v3=${signV3(secret, '/files/a.png', 1_800_000_001)}&expires=1800000001`;
const wrong = '0'.repeat(64);

test('A26 a MAC of another path, size, type or secret is 403 Invalid MAC', () => {
  const macs = [
    `v=${wrong}`,
    `v=${signV(secret, 'b.png', 5)}`,
    `v=${signV(secret, 'a.png', 6)}`,
    `v=${signV('other', 'a.png', 5)}`,
    `v2=${signV2(secret, 'a.png', 5, 'text/html')}`,
    `token=${signV2('other', 'a.png', 5, 'image/png')}`,
  ];
  for (const query of macs) {
    const decision = decide(put(`/files/a.png?${query}`, 5, 'image/png'), server);
    assert.deepEqual([decision.status, decision.title, decision.result], [403, 'Invalid MAC', 'mismatch'], query);
  }
});

test('A27 a MAC that is not 64 hexadecimal digits is 403, also when it begins with the right one', () => {
  const encoding = [
    'f'.repeat(63),
    `${rightV}0`,
    'zz',
    `${rightV.slice(0, 62)}zz`,
    `${rightV}%00`,
    '\u00e9\u00e9',
    '0x',
  ];
  const length = ['ab', 'f'.repeat(128), rightV.slice(0, 62), `${rightV}00`];
  const title = (mac: string): string | null => decide(put(`/files/a.png?v=${mac}`, 5), server).title;
  for (const mac of encoding) assert.equal(title(mac), 'Invalid MAC encoding', mac);
  for (const mac of length) assert.equal(title(mac), 'Invalid MAC', mac);
  assert.match(title('') ?? '', /^No HMAC attached to URL/);
});

test('A28 upper-case and mixed-case digits of the right MAC are accepted', () => {
  assert.equal(queryStatus(`v=${rightV.toUpperCase()}`), 201);
  assert.equal(queryStatus(`v=${rightV.slice(0, 32).toUpperCase()}${rightV.slice(32)}`), 201);
});

test('A29 the highest version present decides alone: v3 > v2 > token > v', () => {
  const accepted = [
    `v=${wrong}&v2=${rightV2}`,
    `token=${wrong}&v2=${rightV2}&v=${wrong}`,
    `v=${wrong}&token=${rightV2}`,
    `v=${wrong}&v2=${wrong}&token=${wrong}&${rightV3}`,
    `v=${rightV}&v2=&token=&v3=`,
  ];
  const refused = [
    `v=${rightV}&v2=${wrong}`,
    `v=${rightV}&token=${wrong}`,
    `token=${rightV2}&v2=${wrong}`,
    `v=${rightV}&v2=${rightV2}&v3=${wrong}&expires=1800000001`,
    `v=${rightV}&v2=${rightV2}&v3=${wrong}`,
    `v=${rightV}&v2=zz`,
  ];
  for (const query of accepted) assert.equal(queryStatus(query), 201, query);
  for (const query of refused) assert.equal(queryStatus(query), 403, query);
});

test('A30 the same parameter twice is refused with 400, equal or not, empty or not', () => {
  const twice = ['', wrong, rightV].map((second) => `v=${rightV}&v=${second}`);
  for (const query of [...twice, `v&v=${rightV}`, `v=${rightV}&s=1&s=1`, `v=${rightV}&x&v2=&v2=`]) {
    const decision = decide(put(`/files/a.png?${query}`, 5), server);
    assert.deepEqual([decision.status, decision.result], [400, 'repeated'], query);
  }
});

test('A31 other spellings of a known name are not that name', () => {
  for (const name of ['V', '%76', 'v[]', 'v%00', ';v', ' v', 'v ', '?v', '__proto__', 'constructor']) {
    assert.equal(queryStatus(`${name}=${rightV}`), 403, name);
    assert.equal(queryStatus(`${name}=${wrong}&v=${rightV}`), 201, name);
  }
});

test('A32 the raw query is read by one parser: unknown items do not matter, a second ? is text', () => {
  for (const query of [`x&v=${rightV}`, `v=${rightV}&`, `&v=${rightV}`, `v=${rightV}&x=?v=${wrong}`]) {
    assert.equal(queryStatus(query), 201, query);
  }
  for (const query of ['v', `?v=${rightV}`, `v=${rightV}?b`, `v=?${rightV}`]) {
    assert.equal(queryStatus(query), 403, query);
  }
});

test('A33 a signature of one scheme verifies as no other, but token and v2 are one', () => {
  const v3 = signV3(secret, '/files/a.png', 1_800_000_001);
  assert.equal(queryStatus(`token=${rightV2}`), 201);
  assert.equal(queryStatus(`v2=${rightV2}`), 201);
  for (const query of [`v=${rightV2}`, `v2=${rightV}`, `token=${rightV}`, `v=${v3}`, `v2=${v3}`]) {
    assert.equal(queryStatus(query), 403, query);
  }
  for (const mac of [rightV, rightV2]) assert.equal(queryStatus(`v3=${mac}&expires=1800000001`), 403);
});

test('A34 a type verifies only as signed, byte for byte, and is stored only when well-formed', () => {
  const off = slotServer({ typeByExtension: false });
  const storedAs = (signed: string, sent: string): string | number | null => {
    const decision = decide(put(`/files/a?v2=${signV2(secret, 'a', 5, signed)}`, 5, sent), off);
    return decision.status === 201 ? decision.storedType : decision.status;
  };
  assert.equal(storedAs('text/x; x', 'text/x; x'), 'text/x');
  assert.equal(storedAs('a\0b', 'a\0b'), 'application/octet-stream');
  assert.equal(storedAs('a/b\r\nX: y', 'a/b\r\nX: y'), 'application/octet-stream');
  assert.equal(storedAs(`a/${'b'.repeat(298)}`, `a/${'b'.repeat(298)}`), 'application/octet-stream');
  assert.equal(storedAs('Text/X', 'Text/X'), 'Text/X');
  assert.equal(storedAs('Text/X', 'text/x'), 403);
  assert.equal(storedAs('text/x;a=b', 'text/x; a=b'), 403);
  assert.equal(storedAs('text/x', 'text/x; a=b'), 'text/x');
});

test('A35 another type than the signed one is 403, unless the extension gives it and TypeByExtension is on', () => {
  const request = put(`/files/a.png?v2=${rightV2}`, 5, 'text/html');
  assert.equal(decide(request, slotServer({ typeByExtension: false })).status, 403);
  const decision = decide(request, slotServer());
  assert.deepEqual([decision.status, decision.storedType], [201, 'image/png']);
  const html = put(`/files/a.png?v2=${signV2(secret, 'a.png', 5, 'text/html')}`, 5, 'image/png');
  assert.equal(decide(html, slotServer()).status, 403);
});

test('A36 every Content-Length but the signed number in its one spelling is refused', () => {
  const table: readonly (readonly [length: string | null, status: number])[] = [
    ['6', 403],
    ['+5', 400],
    ['-1', 400],
    ['0x5', 400],
    ['05', 400],
    ['5,5', 400],
    ['5, 5', 400],
    ['', 400],
    ['5.0', 400],
    ['5e0', 400],
    ['1234567890123456789', 413],
    ['18446744073709551621', 400],
    [null, 411],
  ];
  for (const [length, status] of table) {
    assert.equal(decide(put(`/files/a.png?v=${rightV}`, length), server).status, status, `${length}`);
  }
});

test('A37 a chunked plain PUT is 411 and close, whatever size was signed', () => {
  for (const size of ['-1', '', '5', 'null', 'undefined', 'NaN']) {
    const fields: readonly FieldLine[] = [{ name: 'transfer-encoding', value: 'chunked' }];
    const target = `/files/a.png?v=${signV(secret, 'a.png', size)}`;
    const decision = decide({ method: 'PUT', target, fields }, server);
    assert.deepEqual([decision.status, decision.closesConnection], [411, true], size);
  }
});

test('A41 v3 past expires, without it or with a malformed one is 403', () => {
  const status = (expires: string | null): number => {
    const mac = signV3(secret, wholePath('a.png', server), expires ?? '');
    return queryStatus(`v3=${mac}${expires === null ? '' : `&expires=${expires}`}`);
  };
  assert.equal(status('1800000001'), 201);
  assert.equal(status('999999999999999'), 201);
  for (const expires of ['1800000000', '0', null, '', '1e9', '1e99', '-1', '9'.repeat(16), '9'.repeat(10_000), '٩']) {
    assert.equal(status(expires), 403, `${expires}`);
  }
});

test('A42 an upload signature deletes nothing, and a delete signature uploads nothing', () => {
  const deletes = slotServer({ deleteSecret: 'del' });
  const deletion = signDelete(secret, 'a.png', 'del');
  const status = (method: string, query: string, on: SlotServer): number =>
    decide({ ...put(`/files/a.png?${query}`, 5, 'image/png'), method }, on).status;
  assert.equal(status('DELETE', `token=${deletion}`, deletes), 204);
  for (const query of [
    `v=${rightV}`,
    `v2=${rightV2}`,
    `token=${rightV2}`,
    rightV3,
    `v2=${rightV2}&token=${deletion}`,
  ]) {
    assert.equal(status('DELETE', query, deletes), 403, query);
  }
  for (const name of ['v', 'v2', 'token']) assert.equal(status('PUT', `${name}=${deletion}`, deletes), 403);
  assert.equal(status('DELETE', `token=${signDelete(secret, 'a.png', '')}`, server), 405);
  assert.equal(status('POST', `v=${rightV}`, server), 405);
});

test('A43 weaker messages are never accepted', () => {
  const texts = ['a.png', 'a.png\x005', 'a.png\x005\0', 'PUT\na.png', 'PUT\n/files/a.png', '/upload', 'a.png -1'];
  for (const text of texts) {
    for (const name of ['v', 'v2', 'token', 'v3']) {
      assert.equal(queryStatus(`${name}=${hmacHex(secret, text)}&expires=1800000001`), 403, `${name} ${text}`);
    }
  }
});

test('A44 the base path is under the MAC only as SignedPath says', () => {
  const status = (signedPath: SlotServer['signedPath'], path: string): number =>
    decide(put(`/files/x?v=${signV(secret, path, 5)}`, 5), slotServer({ signedPath })).status;
  assert.deepEqual([status('relative', 'x'), status('relative', 'files/x')], [201, 403]);
  assert.deepEqual([status('full', 'x'), status('full', 'files/x')], [403, 201]);
  assert.deepEqual([status('either', 'x'), status('either', 'files/x')], [201, 201]);
  for (const signedPath of ['relative', 'full', 'either'] as const) {
    for (const path of ['/x', '/files/x', '/files//x']) assert.equal(status(signedPath, path), 403, path);
  }
});

test('A45 a removed secret and the delete secret verify no upload', () => {
  const rotated = put(`/files/a?v=${signV('old', 'a', 5)}`, 5);
  assert.equal(decide(rotated, slotServer({ secrets: ['new', 'old'] })).status, 201);
  assert.equal(decide(rotated, slotServer({ secrets: ['new'] })).status, 403);
  const byDeleteSecret = put(`/files/a?v=${signV('del', 'a', 5)}`, 5);
  assert.equal(decide(byDeleteSecret, slotServer({ deleteSecret: 'del' })).status, 403);
});
