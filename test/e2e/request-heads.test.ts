/** Heads of real upload requests, replayed byte for byte with a body of the right length. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { projectRoot } from '../support/project-root.ts';
import { get, RawConnection } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';
import { publicTreeOf, settledTree } from '../support/store-state.ts';

interface Fixture {
  readonly file: string;
  readonly client: string;
  readonly body_bytes: number;
  readonly expect: number;
  /** Time at which the Bearer token of the request is good. */
  readonly now?: number;
}

const folder = join(projectRoot, 'test/data/requests');
const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as {
  readonly secret: string;
  readonly requests: readonly Fixture[];
};

let server: ServerProcess;

before(async () => {
  server = await ServerProcess.start({ settings: { UploadSubDir: 'upload', Secret: index.secret } });
});

after(() => server.stop());

/** Sends head and body in packets of their own, as these clients do. */
async function replay(fixture: Fixture): Promise<{ readonly statuses: readonly number[]; readonly path: string }> {
  const head = readFileSync(join(folder, fixture.file));
  const connection = await RawConnection.open(server.port);
  try {
    await connection.send(head, Buffer.alloc(fixture.body_bytes, 'r'));
    const statuses: number[] = [];
    do statuses.push((await connection.response()).status);
    while (statuses.at(-1) === 100);
    const [, path = ''] = /^PUT ([^ ?]+)/.exec(head.toString('latin1')) ?? [];
    return { statuses, path };
  } finally {
    connection.drop();
  }
}

test('there are 13 heads, 2 of them with a Bearer token', () => {
  assert.equal(index.requests.length, 13);
  assert.equal(index.requests.filter(({ now }) => now !== undefined).length, 2);
});

for (const fixture of index.requests.filter(({ now }) => now === undefined)) {
  test(`${fixture.file} by ${fixture.client} is answered ${fixture.expect}`, async () => {
    const { statuses, path } = await replay(fixture);
    assert.equal(statuses.at(-1), fixture.expect);
    assert.equal(statuses.includes(100), fixture.file === 'curl-expect.http');
    const served = await get(server.port, path);
    assert.equal(served.status, fixture.expect === 201 ? 200 : 404);
    if (fixture.expect === 201) assert.ok(served.body.equals(Buffer.alloc(fixture.body_bytes, 'r')));
  });
}

for (const fixture of index.requests.filter(({ now }) => now !== undefined)) {
  test(`${fixture.file} by ${fixture.client} waits for the release that reads Bearer tokens: 403, and nothing is stored`, async () => {
    const before = publicTreeOf(server.storeDir);
    const { statuses, path } = await replay(fixture);
    assert.deepEqual(statuses, [403]);
    assert.equal((await get(server.port, path)).status, 404);
    await settledTree(server);
    assert.deepEqual(publicTreeOf(server.storeDir), before);
  });
}
