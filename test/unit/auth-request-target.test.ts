/** The path grammar: what is a name, what is refused, and that every spelling of a name gives the same one. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  fullPath,
  type PathRefusal,
  parseRequestTarget,
  publishedPath,
  type RequestTarget,
} from '../../src/main/auth/request-target.ts';
import { extensionOf, type FileKey } from '../../src/shared/files.ts';

function keyOf(rawPath: string, basePath = '/files/'): string | null {
  const target = parseRequestTarget(rawPath, basePath);
  return target.kind === 'file' ? target.key : null;
}

const names: readonly (readonly [raw: string, key: string])[] = [
  ['a', 'a'],
  ['a/b.png', 'a/b.png'],
  ['a+b', 'a+b'],
  ['a%2Bb', 'a+b'],
  ['%41', 'A'],
  ['%2541', '%41'],
  ['...', '...'],
  ['.a', '.a'],
  ['a..b/..c/d..', 'a..b/..c/d..'],
  ['%20', ' '],
  ['a;b,c!$*@:=~_-.png', 'a;b,c!$*@:=~_-.png'],
  ['%3f%23%26%22%3c%3e%7c', '?#&"<>|'],
  ['"<>|^`{}', '"<>|^`{}'],
  ['\u00dcn\u00efc\u00f6d\u00e9', '\u00dcn\u00efc\u00f6d\u00e9'],
  ['%c3%9c%C3%AF', '\u00dc\u00ef'],
  ['\u00dc%c3%af', '\u00dc\u00ef'],
  ['%f0%9f%98%80', '\u{1f600}'],
  ['%ef%bb%bfa', '\ufeffa'],
  ['%ef%bf%bd', '\ufffd'],
  ['%ef%bf%bf', '\uffff'],
  ['%c2%a0', '\u00a0'],
  ['.hfsx/a', '.hfsx/a'],
  ['a/.hfs', 'a/.hfs'],
  ['.hf%c5%bf', '.hf\u017f'],
];

test('decodes each name exactly once (RFC 3986 §2.4)', () => {
  for (const [raw, key] of names) assert.equal(keyOf(`/files/${raw}`), key, raw);
});

const refusals: readonly (readonly [raw: string, reason: PathRefusal])[] = [
  ['', 'segment'],
  ['/', 'segment'],
  ['/a', 'segment'],
  ['a/', 'segment'],
  ['a//b', 'segment'],
  ['.', 'segment'],
  ['..', 'segment'],
  ['a/../b', 'segment'],
  ['./a', 'segment'],
  ['a/.', 'segment'],
  ['%2e', 'segment'],
  ['a/%2E.', 'segment'],
  ['a%2fb', 'slash'],
  ['%2F', 'slash'],
  ['%', 'escape'],
  ['a%4', 'escape'],
  ['%zz', 'escape'],
  ['%u0041', 'escape'],
  ['100%.txt', 'escape'],
  ['%fc', 'encoding'],
  ['%c0%ae', 'encoding'],
  ['%ed%a0%80', 'encoding'],
  ['%f5%80%80%80', 'encoding'],
  ['%e2%82', 'encoding'],
  ['%00', 'control'],
  ['%7f', 'control'],
  ['%c2%85', 'control'],
  ['a b', 'raw-character'],
  ['a#b', 'raw-character'],
  ['a\tb', 'raw-character'],
  ['a\0b', 'raw-character'],
  ['a\u007f', 'raw-character'],
  ['a\u0085', 'raw-character'],
  ['a\ufffd', 'raw-character'],
  ['a\ud800', 'raw-character'],
  ['.hfs', 'reserved'],
  ['.HfS/x', 'reserved'],
  ['%2ehfs/u/a.b', 'reserved'],
  ['.hfs/u/a/b', 'reserved'],
  ['.hfs/u/a%62', 'reserved'],
  ['.HFS/u/a.b', 'reserved'],
  ['.hfs/U/a.b', 'reserved'],
  ['.hfs/u', 'reserved'],
  ['.hfs/u/', 'segment'],
  ['.hfs/u/..', 'segment'],
  [`.hfs/u/${'a'.repeat(300)}`, 'reserved'],
];

test('refuses what has no safe meaning and says why', () => {
  for (const [raw, reason] of refusals) {
    assert.deepEqual(parseRequestTarget(`/files/${raw}`, '/files/'), { kind: 'refused', reason }, JSON.stringify(raw));
  }
});

test('a target that does not begin with the base path is outside, whatever it holds', () => {
  for (const raw of ['/files', '/filesx', '/Files/x', '/', '', '*', '/x/files/a', '/file%73/a', '//files/a']) {
    assert.deepEqual(parseRequestTarget(raw, '/files/'), { kind: 'outside' }, raw);
  }
});

test('an empty UploadSubDir makes the whole URL space a base', () => {
  assert.equal(keyOf('/a/b', '/'), 'a/b');
  assert.deepEqual(parseRequestTarget('/', '/'), { kind: 'refused', reason: 'segment' });
  assert.deepEqual(parseRequestTarget('*', '/'), { kind: 'outside' });
});

test('names an upload resource by the one spelling of its URL', () => {
  const expected: RequestTarget = { kind: 'upload-resource', name: '0123abcd.QW_-' };
  assert.deepEqual(parseRequestTarget('/files/.hfs/u/0123abcd.QW_-', '/files/'), expected);
});

test('puts the base path in front of a key without a leading slash', () => {
  assert.equal(fullPath('a/b' as FileKey, '/files/'), 'files/a/b');
  assert.equal(fullPath('a/b' as FileKey, '/'), 'a/b');
});

test('takes the extension behind the last dot of the last segment, in ASCII lower case', () => {
  const table: readonly (readonly [key: string, extension: string | null])[] = [
    ['a.PNG', 'png'],
    ['a.tar.gz', 'gz'],
    ['.htaccess', 'htaccess'],
    ['a', null],
    ['a.b/c', null],
    ['a.b/c.D', 'd'],
    ['x.', ''],
    ['x.\u00c4\u0130B', '\u00c4\u0130b'],
    ['x.__proto__', '__proto__'],
  ];
  for (const [key, extension] of table) assert.equal(extensionOf(key as FileKey), extension, key);
});

function percentEncode(text: string, digits: 'upper' | 'lower'): string {
  return Array.from(Buffer.from(text, 'utf8'), (byte) => {
    const hex = byte.toString(16).padStart(2, '0');
    return `%${digits === 'upper' ? hex.toUpperCase() : hex}`;
  }).join('');
}

/** Encodes only what may not stand raw in a path: the spelling with the fewest escapes. */
function minimal(text: string): string {
  return text.replace(/[%#? \ufffd]/g, (character) => percentEncode(character, 'lower'));
}

const segment = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 12 })
  .map((text) => text.replace(/[\p{Cc}/]/gu, '_'))
  .filter((text) => text !== '.' && text !== '..');
const path = fc.array(segment, { minLength: 1, maxLength: 5 }).filter(([first]) => first?.toLowerCase() !== '.hfs');

test('every spelling of an accepted path gives the same key', () => {
  const spellings: readonly ((text: string) => string)[] = [
    (text) => percentEncode(text, 'upper'),
    (text) => percentEncode(text, 'lower'),
    encodeURIComponent,
    minimal,
  ];
  fc.assert(
    fc.property(path, fc.constantFrom('/', '/files/', '/a/b/'), (segments, base) => {
      for (const spell of spellings) {
        assert.equal(keyOf(base + segments.map(spell).join('/'), base), segments.join('/'));
      }
    }),
  );
});

const hostileUnit = fc.oneof(
  fc.constantFrom('/', '.', '..', '%', '%2e', '%2F', '%00', '%25', '.hfs', '\\', '?', '#', '\ufffd', '%c3', '%9c'),
  fc.string({ unit: 'binary', maxLength: 3 }),
  fc.string({ maxLength: 3 }),
);

test('never throws, and every key keeps the promises of its type', () => {
  fc.assert(
    fc.property(fc.array(hostileUnit, { maxLength: 20 }), (units) => {
      const key = keyOf(`/files/${units.join('')}`);
      if (key === null) return;
      assert.equal(Buffer.from(key, 'utf8').toString('utf8'), key);
      for (const part of key.split('/')) {
        assert.ok(part !== '' && part !== '.' && part !== '..');
        assert.ok([...part].every((character) => !/\p{Cc}/u.test(character)));
      }
      assert.notEqual(key.split('/')[0]?.toLowerCase(), '.hfs');
    }),
    { numRuns: 2000 },
  );
});

test('never throws on bytes that are no UTF-8, as the transport hands them over', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const raw = Buffer.from(bytes).toString('utf8');
      assert.ok(['file', 'refused', 'upload-resource'].includes(parseRequestTarget(`/${raw}`, '/').kind));
    }),
  );
});

test('reads grown targets in linear time', () => {
  const size = 1_000_000;
  for (const unit of ['/', './', '../', 'a/', '%2e', '%41', '%c3%9c', '.', '.hfs/', '%', '\u00fc']) {
    const started = performance.now();
    parseRequestTarget(`/files/${unit.repeat(size / unit.length)}`, '/files/');
    assert.ok(performance.now() - started < 2000, unit);
  }
});

test('a path in logs and events never holds what permits to write to an upload', () => {
  const id = '0123456789abcdef0123456789abcdef';
  const mac = 'AZaz09-_AZaz09-_AZaz09';
  const published: readonly (readonly [path: string, published: string])[] = [
    [`/files/.hfs/u/${id}.${mac}`, `/files/.hfs/u/${id}*`],
    [`/.hfs/u/${id}.${mac}`, `/.hfs/u/${id}*`],
    [`/elsewhere/.hfs/u/${id}.${mac}`, `/elsewhere/.hfs/u/${id}*`],
    [`/files/.hfs/u/${id}.${mac}%20`, `/files/.hfs/u/${id}*`],
    [`/files/.hfs/u/${id}0.${mac}`, '/files/.hfs/*'],
    [`/files/%2Ehfs/u/${id}.${mac}`, `/files/%2Ehfs/u/${id}*`],
    [`/files/.hfs/u/./${id}.${mac}`, '/files/.hfs/*'],
  ];
  for (const [path, expected] of published) assert.equal(publishedPath(path), expected, path);
  for (const path of ['/files/a', '/files/a.hfs/b', '/files/hfs/u/x', '/files/%C3%A9']) {
    assert.equal(publishedPath(path), path);
  }
});
