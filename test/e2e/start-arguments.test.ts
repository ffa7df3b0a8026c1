/** The server under a node with options of its own. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerProcess } from '../support/server-process.ts';

test('starts under node with options of V8, which threads refuse to be given again', async () => {
  const server = await ServerProcess.start({ nodeArguments: ['--max-old-space-size=300', '--max-semi-space-size=8'] });
  try {
    const answer = await fetch(server.origin + server.signedTarget('a.txt', 5), { method: 'PUT', body: 'hello' });
    assert.equal(answer.status, 201);
    assert.equal(await (await fetch(`${server.origin}/files/a.txt`)).text(), 'hello');
  } finally {
    await server.stop();
  }
});
