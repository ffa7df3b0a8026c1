/** URLs of uploads in progress. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRequestTarget } from '../../src/main/auth/request-target.ts';
import { locationOf, parseResourceName } from '../../src/main/upload/resource-url.ts';

const id = '0123456789abcdef0123456789abcdef';
const mac = 'AZaz09-_AZaz09-_AZaz09';

test('a location leads back to its upload', () => {
  const place = { basePath: '/files/', publicOrigin: null };
  const location = locationOf({ id, mac }, place);
  assert.equal(location, `/files/.hfs/u/${id}.${mac}`);
  const target = parseRequestTarget(location, '/files/');
  assert.equal(target.kind, 'upload-resource');
  assert.deepEqual(target.kind === 'upload-resource' && parseResourceName(target.name), { id, mac });
});

test('a location is absolute where the public origin is known', () => {
  const place = { basePath: '/', publicOrigin: 'https://files.example.org' };
  assert.equal(locationOf({ id, mac }, place), `https://files.example.org/.hfs/u/${id}.${mac}`);
});

test('what cannot name an upload is no name', () => {
  const names = ['', '.', id, mac, `${id}.`, `.${mac}`, `${id}.${mac}A`, `${id}A.${mac}`, `${id}.${mac.slice(1)}`];
  const others = [`${id.toUpperCase()}.${mac}`, `${id}.${mac}.`, `${id}..${mac}`, `${id}.${mac}\n`, `${id}.${mac}=`];
  for (const name of [...names, ...others]) assert.equal(parseResourceName(name), null, name);
});
