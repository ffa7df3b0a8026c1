/** Requests whose length is in doubt (RFC 9112 §6.3): refused, the connection closed, and nothing behind them served. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { HiddenPuts } from '../support/hidden-put.ts';
import { exchangeUntilClose, type RawResponse } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';
import { publicTreeOf, settledTree } from '../support/store-state.ts';

const BODY = 'abc';

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start();
});

after(() => server.stop());

/** A request whose field lines are the given text, with a body of three bytes and a signed upload behind it. */
function doubtful(method: string, lines: string): Buffer {
  const target = server.signedTarget('doubtful', BODY.length);
  return Buffer.from(`${method} ${target} HTTP/1.1\r\nHost: test\r\n${lines}\r\n${BODY}`, 'latin1');
}

function statusesOf(responses: readonly RawResponse[]): readonly number[] {
  return responses.map(({ status }) => status);
}

/** Sends the doubtful request alone, and with an upload behind it in the same packet and in the next. */
async function assertRefusedAlone(lines: string, allowed: readonly number[] = [400]): Promise<void> {
  const hidden = new HiddenPuts(server);
  for (const method of ['PUT', 'GET']) {
    const first = doubtful(method, lines);
    for (const packets of [[first], [first, hidden.next()]]) {
      const statuses = statusesOf(await exchangeUntilClose(server.port, ...packets));
      assert.equal(statuses.length, 1, lines);
      assert.ok(allowed.includes(statuses[0] ?? 0), `${lines} ${statuses}`);
    }
    // The transport may notice what follows before the refusal is written, and closes without a word.
    const inOne = statusesOf(await exchangeUntilClose(server.port, Buffer.concat([first, hidden.next()])));
    assert.ok(inOne.length <= 1 && inOne.every((status) => allowed.includes(status)), `${lines} ${inOne}`);
  }
  await hidden.assertUnseen();
  assert.deepEqual(publicTreeOf(server.storeDir), []);
}

test('A62 two Content-Length lines, equal or not, are 400 and close (RFC 9112 §6.3)', async () => {
  await assertRefusedAlone('Content-Length: 3\r\nContent-Length: 3\r\n');
  await assertRefusedAlone('Content-Length: 3\r\nContent-Length: 40\r\n');
  await assertRefusedAlone('Content-Length: 0\r\nContent-Length: 3\r\n');
  await assertRefusedAlone('Content-Length: 3\r\nX: y\r\ncontent-length: 3\r\n');
});

test('A62 a list of lengths and an empty length are 400 and close', async () => {
  for (const value of ['3, 3', '3,3', '3, 4', '3,', ',3', '']) await assertRefusedAlone(`Content-Length: ${value}\r\n`);
});

test('A62 a length beside a transfer coding is 400 and close, whichever comes first', async () => {
  await assertRefusedAlone('Content-Length: 3\r\nTransfer-Encoding: chunked\r\n');
  await assertRefusedAlone('Transfer-Encoding: chunked\r\nContent-Length: 3\r\n');
  await assertRefusedAlone('Transfer-Encoding: identity\r\nContent-Length: 3\r\n');
  await assertRefusedAlone('Transfer-Encoding:\r\nContent-Length: 3\r\n');
});

test('A36 every spelling of a length but its digits is 400 and close (RFC 9110 §8.6)', async () => {
  for (const value of ['+3', '-3', '-1', '0x3', '03', '003', '3.0', '3e0', '3 3', '٣', 'abc', '18446744073709551619']) {
    await assertRefusedAlone(`Content-Length: ${Buffer.from(value).toString('latin1')}\r\n`);
  }
  await assertRefusedAlone('Content-Length : 3\r\n');
});

test('A36 a length of 16 to 19 digits is refused with 400 or 413 and close', async () => {
  for (const value of ['1234567890123456', '9007199254740993', '1234567890123456789']) {
    await assertRefusedAlone(`Content-Length: ${value}\r\n`, [400, 413]);
  }
});

test('a refused length leaves nothing in the store', async () => {
  const empty = ['.hfs/', '.hfs/long/', '.hfs/records/', '.hfs/staging/', '.hfs/uploads/'];
  assert.deepEqual(await settledTree(server), empty);
});
