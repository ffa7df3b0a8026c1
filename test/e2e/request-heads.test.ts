/** Heads of real upload requests, replayed byte for byte with a body of the right length. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../support/project-root.ts';
import { get, RawConnection } from '../support/raw-http.ts';
import { ServerProcess } from '../support/server-process.ts';
import { clockAt } from '../support/standing-clock.ts';
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

/** Sends head and body in packets of their own, as these clients do. */
async function replay(
  server: ServerProcess,
  fixture: Fixture,
): Promise<{ readonly statuses: readonly number[]; readonly path: string }> {
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

const byClock = new Map<number | undefined, Fixture[]>();
for (const fixture of index.requests) byClock.set(fixture.now, [...(byClock.get(fixture.now) ?? []), fixture]);

for (const [now, fixtures] of byClock) {
  const settings = { UploadSubDir: 'upload', Secret: index.secret };

  test(`${fixtures.length} heads are answered as expected by a server with ${now ?? 'the clock of this host'}`, async () => {
    const server = await ServerProcess.start({ settings, environment: clockAt(now) });
    try {
      for (const fixture of fixtures) {
        const { statuses, path } = await replay(server, fixture);
        const what = `${fixture.file} by ${fixture.client}`;
        assert.equal(statuses.at(-1), fixture.expect, what);
        assert.equal(statuses.includes(100), fixture.file === 'curl-expect.http', what);
        const served = await get(server.port, path);
        assert.equal(served.status, fixture.expect === 201 ? 200 : 404, what);
        if (fixture.expect === 201) assert.ok(served.body.equals(Buffer.alloc(fixture.body_bytes, 'r')), what);
      }
    } finally {
      await server.stop();
    }
  });
}

test('the same tokens are refused by a server whose clock has gone on, and nothing is stored', async () => {
  const tokens = index.requests.filter(({ now }) => now !== undefined);
  const later = Math.max(...tokens.map(({ now = 0 }) => now)) + 600;
  const settings = { UploadSubDir: 'upload', Secret: index.secret };
  const server = await ServerProcess.start({ settings, environment: clockAt(later) });
  try {
    for (const fixture of tokens) assert.deepEqual((await replay(server, fixture)).statuses, [403], fixture.file);
    await settledTree(server);
    assert.deepEqual(publicTreeOf(server.storeDir), []);
  } finally {
    await server.stop();
  }
});
