/** Suggestions for misspelt names, and the keys of other versions. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { configKeyNames, findKey } from '../../src/main/config/config-schema.ts';
import { explainUnknownKey } from '../../src/main/config/foreign-keys.ts';
import { editDistance, nearestName } from '../../src/main/config/nearest-name.ts';

describe('the Damerau-Levenshtein distance', () => {
  const distances: readonly (readonly [string, string, number])[] = [
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', 'abc', 0],
    ['abc', 'acb', 1],
    ['kitten', 'sitting', 3],
    ['maxversion', 'maxversions', 1],
    ['lsitenport', 'listenport', 1],
  ];
  for (const [left, right, distance] of distances) {
    it(`is ${distance} between "${left}" and "${right}"`, () => {
      assert.equal(editDistance(left, right), distance);
    });
  }

  it('is symmetric, zero only for equal texts, and at most the longer length', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
    fc.assert(
      fc.property(text, text, (left, right) => {
        const distance = editDistance(left, right);
        assert.equal(distance, editDistance(right, left));
        assert.equal(distance === 0, left === right);
        assert.ok(distance <= Math.max(left.length, right.length));
      }),
    );
  });
});

describe('suggestions for keys', () => {
  const suggestions: readonly (readonly [string, string | null])[] = [
    ['MaxVersion', 'MaxVersions'],
    ['max_versions', 'MaxVersions'],
    ['MAX-VERSIONS', 'MaxVersions'],
    ['ListenProt', 'ListenPort'],
    ['Sekret', 'Secret'],
    ['StorDir', 'StoreDir'],
    ['ResumeableUploadEnabled', 'ResumableUploadsEnabled'],
    ['MetricPort', 'MetricsPort'],
    ['MinFreeSpaces', 'MinFreeSpace'],
    ['Something', null],
    ['', null],
  ];
  for (const [name, expected] of suggestions) {
    it(`${expected === null ? 'finds nothing near' : `proposes ${expected} for`} "${name}"`, () => {
      assert.equal(nearestName(name, configKeyNames), expected);
    });
  }

  it('prefers the key that stands first when two are equally near', () => {
    assert.equal(nearestName('b', ['ab', 'bc']), 'ab');
  });

  it('allows three edits only for names of more than 12 letters', () => {
    assert.equal(nearestName('abcdefghixyz', ['abcdefghijkl']), null);
    assert.equal(nearestName('abcdefghijxyz', ['abcdefghijklm']), 'abcdefghijklm');
  });

  it('finds every key again after one slip of the keyboard', () => {
    const name = fc.constantFrom(...configKeyNames);
    fc.assert(
      fc.property(name, fc.nat(), fc.constantFrom('drop', 'double', 'swap'), (key, place, slip) => {
        const at = place % (key.length - 1);
        const [here = '', next = ''] = [key[at], key[at + 1]];
        const middle = { drop: next, double: `${here}${here}${next}`, swap: `${next}${here}` }[slip];
        const typed = key.slice(0, at) + middle + key.slice(at + 2);
        assert.notEqual(nearestName(typed, configKeyNames), null);
      }),
    );
  });
});

describe('keys of other versions', () => {
  const texts: readonly (readonly [string, RegExp])[] = [
    ['ChunkedUploadsEnabled', /the key here is "ChunkingEnabled"/],
    ['chunked_uploads_enabled', /the key here is "ChunkingEnabled"/],
    ['StoragePath', /the key here is "StoreDir"/],
    ['storage_path', /the key here is "StoreDir"/],
    ['listen_address', /the key here is "ListenPort"/],
    ['max_upload_size', /did you mean "MaxUploadSize"\?/],
    ['allowed_extensions', /did you mean "AllowedExtensions"\?/],
    ['MinFreeBytes', /the key here is "MinFreeSpace"/],
    ['GracefulShutdownTimeout', /the key here is "ShutdownTimeout"/],
    ...[
      ...['ReadTimeout', 'WriteTimeout', 'IdleTimeout', 'NumWorkers', 'UploadQueueSize', 'RedisEnabled', 'RedisAddr'],
      ...['ClamAVSocket', 'ClamAVEnabled', 'NumScanWorkers', 'DeduplicationEnabled', 'EnableRateLimiting'],
      ...['RateLimitRequests', 'Fail2BanEnabled', 'Fail2BanCommand'],
    ].map((name): readonly [string, RegExp] => [name, /has no counterpart here; remove it: \S/]),
    ...['FallbackEnabled', 'ThrottleEnabled', 'DynamicCpus', 'GCEnabled'].map((name): readonly [string, RegExp] => [
      name,
      /had no effect before either; remove it/,
    ]),
    ['__proto__', /unknown key "__proto__"/],
    ['constructor', /unknown key "constructor"/],
  ];
  for (const [name, message] of texts) {
    it(`explains ${name}`, () => {
      assert.match(explainUnknownKey(name), message);
    });
  }
});

describe('names of keys', () => {
  it('do not depend on ASCII case', () => {
    assert.deepEqual(['listenport', 'LISTENPORT', 'ListenPort'].map(findKey), Array(3).fill('ListenPort'));
  });

  it('take no other letters for ASCII ones (U+212A KELVIN SIGN)', () => {
    assert.equal(findKey('Chun\u212aSize'), null);
  });
});
