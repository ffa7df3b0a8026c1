/** Settings of the server in the name of a target. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseServerSettings, renderServerSettings } from '../../bench/targets/server-settings.ts';

test('numbers and booleans are written as such, everything else as text', () => {
  assert.deepEqual(
    [...parseServerSettings('Listeners=2&EnableVersioning=true&Durability=full&FileTTL=30d')],
    [
      ['Listeners', '2'],
      ['EnableVersioning', 'true'],
      ['Durability', '"full"'],
      ['FileTTL', '"30d"'],
    ],
  );
});

test('what stands later wins, whatever the case of its key', () => {
  const own = new Map([
    ['Durability', '"none"'],
    ['LogLevel', '"error"'],
  ]);
  assert.equal(
    renderServerSettings(own, parseServerSettings('durability=file')),
    'durability = "file"\nLogLevel = "error"\n',
  );
});

test('no setting, and what the harness sets itself, are refused', () => {
  for (const text of ['', 'Listeners', 'Listeners=', '=2', 'a-b=1', 'Listeners=2&&LogLevel=info']) {
    assert.throws(() => parseServerSettings(text), /is no setting; write Listeners=2/, text);
  }
  for (const text of ['StoreDir=/tmp/x', 'secret=x', 'LISTENPORT=8080']) {
    assert.throws(() => parseServerSettings(text), /is what the harness sets itself/, text);
  }
});
