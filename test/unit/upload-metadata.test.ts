/** Upload-Metadata, Upload-Checksum and Upload-Concat of tus 1.0.0: what is read, and that nothing else is. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { metadataType, parseUploadMetadata } from '../../src/main/upload/upload-metadata.ts';

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

test('keys and values are kept apart and as they came', () => {
  const texts: readonly (readonly [text: string, pairs: Readonly<Record<string, string>>])[] = [
    ['filename d29ybGQ=', { filename: 'd29ybGQ=' }],
    ['filename d29ybGQ=,is_confidential', { filename: 'd29ybGQ=', is_confidential: '' }],
    ['is_confidential ,a YQ==', { is_confidential: '', a: 'YQ==' }],
    [' a YQ== , b Yg==', { a: 'YQ==', b: 'Yg==' }],
    ['name bnVsbA==,type dW5kZWZpbmVk', { name: 'bnVsbA==', type: 'dW5kZWZpbmVk' }],
    ['a 8J+YgA==', { a: '8J+YgA==' }],
  ];
  for (const [text, pairs] of texts) {
    assert.deepEqual(Object.fromEntries(parseUploadMetadata(text) ?? []), pairs, text);
  }
});

test('what is no pair of a key and a Base64 value is refused, and so is a key that stands twice', () => {
  const malformed = [
    '',
    ',',
    'a YQ==,',
    'a YQ==,,b',
    'a !',
    'a YQ',
    'a YQ=',
    'a Y Q==',
    'a  YQ==',
    'a YQ==\n',
    'é YQ==',
  ];
  const repeated = ['a,a', 'a YQ==,a YQ==', 'a YQ==,b,a'];
  for (const text of [...malformed, ...repeated, 'a YQ-_', 'a\tYQ==', 'a\u0000 YQ==', 'a =', 'a ====']) {
    assert.equal(parseUploadMetadata(text), null, JSON.stringify(text));
  }
});

test('A77 names of the prototype are keys like others', () => {
  const pairs = parseUploadMetadata('__proto__ YQ==,constructor YQ==,toString YQ==,hasOwnProperty');
  assert.deepEqual([...(pairs?.keys() ?? [])], ['__proto__', 'constructor', 'toString', 'hasOwnProperty']);
  assert.equal(({} as Record<string, unknown>)['YQ=='], undefined);
  assert.equal(metadataType(new Map([['__proto__', base64('text/html')]])), null);
});

test('the type is the one that the client names; the words for none are none', () => {
  const types: readonly (readonly [text: string, type: string | null])[] = [
    [`filetype ${base64('image/png')}`, 'image/png'],
    [`type ${base64('image/png')}`, 'image/png'],
    [`type ${base64('image/gif')},filetype ${base64('image/png')}`, 'image/png'],
    [`type ${base64('image/gif')},filetype ${base64('null')}`, 'image/gif'],
    [`filetype ${base64('undefined')}`, null],
    ['filetype', null],
    [`filetype ${base64('text/html\r\nSet-Cookie: a')}`, null],
    [`filetype ${base64('image/png\0 9')}`, null],
    [`filename ${base64('a.png')}`, null],
  ];
  for (const [text, type] of types) assert.equal(metadataType(parseUploadMetadata(text) ?? new Map()), type, text);
});

const key = fc.stringMatching(/^[!-+\--~]+$/);

test('what is written is what is read', () => {
  const written = fc.uniqueArray(fc.tuple(key, fc.string({ unit: 'binary' })), { selector: ([name]) => name });
  fc.assert(
    fc.property(written, (pairs) => {
      fc.pre(pairs.length > 0);
      const text = pairs.map(([name, value]) => `${name} ${base64(value)}`).join(',');
      const read = parseUploadMetadata(text);
      assert.deepEqual(
        [...(read ?? [])],
        pairs.map(([name, value]) => [name, base64(value)]),
      );
    }),
    { numRuns: 2_000 },
  );
});
