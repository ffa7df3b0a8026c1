/** Upload-Checksum (tus, Checksum). */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { checksumAlgorithms, parseUploadChecksum } from '../../src/main/upload/upload-checksum.ts';

test('T-K1 the algorithms are listed in lower case, sha1 among them', () => {
  assert.equal(checksumAlgorithms, 'sha1,md5,sha256,sha512');
});

test('every listed algorithm is read with a digest of its length', () => {
  for (const algorithm of checksumAlgorithms.split(',')) {
    const value = createHash(algorithm).update('body').digest('base64');
    assert.deepEqual(parseUploadChecksum(`${algorithm} ${value}`), { algorithm, value });
  }
});

test('T-K5, T-K6 an unknown algorithm, another length and everything malformed is refused', () => {
  const sha1 = createHash('sha1').update('body').digest('base64');
  const others = [`md5 ${sha1}`, `sha256 ${sha1}`, `SHA1 ${sha1}`, `crc32 ${sha1}`, `constructor ${sha1}`];
  const malformed = ['', ' ', 'sha1', 'sha1 ', `sha1  ${sha1}`, `sha1 ${sha1} `, sha1, `sha1 ${sha1.slice(0, -1)}`];
  for (const text of [...others, ...malformed, `sha1 ${sha1}AAAA`, 'sha1 !!!!', `sha1,${sha1}`, `__proto__ ${sha1}`]) {
    assert.equal(parseUploadChecksum(text), null, text);
  }
});
