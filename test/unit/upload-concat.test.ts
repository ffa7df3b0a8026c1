/** Upload-Concat (tus, Concatenation): parts are uploads of this server, whatever the URL says. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseUploadConcat } from '../../src/main/upload/upload-concat.ts';
import type { Concatenation } from '../../src/shared/resumable.ts';
import { BASE_PATH, RESOURCE, RESOURCE_PATH } from '../support/upload-request.ts';

const place = { basePath: BASE_PATH, publicOrigin: 'https://files.example.org' };
const other = { ...RESOURCE, id: 'f'.repeat(32) };
const otherPath = `${BASE_PATH}.hfs/u/${other.id}.${other.mac}`;

function parse(text: string): Concatenation | null {
  return parseUploadConcat(text, place, 'test:8080');
}

test('a partial upload says so and nothing else', () => {
  assert.deepEqual(parse('partial'), { kind: 'partial' });
  for (const text of ['', 'Partial', 'partial;', 'partial ', ' partial', 'partial, partial', 'final']) {
    assert.equal(parse(text), null, text);
  }
});

test('T-N4 to T-N6 parts are read in their order, as paths, on our own host and on the public origin', () => {
  const urls = [
    RESOURCE_PATH,
    `http://test:8080${RESOURCE_PATH}`,
    `https://TEST:8080${RESOURCE_PATH}`,
    `https://files.example.org${RESOURCE_PATH}`,
  ];
  for (const url of urls) {
    const text = `final;${url} ${otherPath} ${url}`;
    assert.deepEqual(parse(text), { kind: 'final', parts: [RESOURCE, other, RESOURCE], text });
  }
  const spaced = `final; ${RESOURCE_PATH}  ${otherPath} `;
  assert.deepEqual(parse(spaced), { kind: 'final', parts: [RESOURCE, other], text: spaced });
});

test('T-N8 an empty list and junk are refused', () => {
  const lists = ['final;', 'final; ', 'final;/', 'final;junk', `final;${RESOURCE_PATH},${otherPath}`, 'final;/files/a'];
  const urls = [`${RESOURCE_PATH}?v=1`, `${RESOURCE_PATH}/`, `${RESOURCE_PATH.slice(1)}`, `/x${RESOURCE_PATH}`];
  for (const text of [...lists, ...urls.map((url) => `final;${url}`), `final;${RESOURCE_PATH} \u00e9`]) {
    assert.equal(parse(text), null, text);
  }
});

test('T-N9 a part on another host is refused, however it is written', () => {
  const hosts = [
    'evil.example',
    'test:8081',
    'test',
    'test:8080@evil.example',
    'evil.example:8080',
    'files.example.org',
  ];
  const urls = hosts.map((host) => `http://${host}${RESOURCE_PATH}`);
  for (const url of [
    ...urls,
    `//test:8080${RESOURCE_PATH}`,
    `ftp://test:8080${RESOURCE_PATH}`,
    `http://${RESOURCE_PATH}`,
  ]) {
    assert.equal(parse(`final;${url}`), null, url);
  }
  assert.equal(parseUploadConcat(`final;http://test:8080${RESOURCE_PATH}`, place, null), null);
});
