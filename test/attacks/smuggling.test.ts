/**
 * A62, A63, A64, A65: the smuggling corpus against the server itself, and through real nginx and haproxy as they are
 * configured in deploy/. A request that stands in the doubtful part of another never takes effect; behind a proxy it may
 * only be served when the proxy itself took it for a request of this client and passed its answer on.
 */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Edge } from '../edge/support/edge.ts';
import { haproxy, nginx } from '../edge/support/proxy-process.ts';
import { HiddenPuts } from '../support/hidden-put.ts';
import { linesUpToNow } from '../support/log-marker.ts';
import { put, RawConnection } from '../support/raw-http.ts';
import { type LogLine, ServerProcess } from '../support/server-process.ts';
import { type SmugglingCase, smugglingCases } from './support/smuggling-corpus.ts';

/** An answer comes within this time, or not at all. */
const ANSWER_MS = 1_500;
const AT_ONCE = 16;

/** First requests: one that is served, one that is refused without a look at its body. */
const carriers: readonly (readonly [method: string, target: string])[] = [
  ['GET', '/files/known'],
  ['POST', '/files/known'],
  ['PUT', '/files/refused?v=zz'],
];

interface Attempt {
  readonly name: string;
  readonly hiddenPath: string;
  readonly answers: number;
}

/** How many answers come on one connection before it is closed or silent. */
async function answersTo(connection: RawConnection, packet: Buffer): Promise<number> {
  let answers = 0;
  try {
    await connection.send(packet);
    for (;;) {
      const { status } = await connection.response({ timeoutMs: ANSWER_MS }).catch(() => ({ status: 0 }));
      if (status === 0) return answers;
      if (status >= 200) answers += 1;
    }
  } finally {
    connection.drop();
  }
}

/** Sends the whole corpus with every carrier. */
async function sendCorpus(connect: () => Promise<RawConnection>, hidden: HiddenPuts): Promise<readonly Attempt[]> {
  const attempts: Attempt[] = [];
  const jobs = smugglingCases.flatMap((row) => carriers.map((carrier) => ({ row, carrier })));
  const send = async ({ row, carrier: [method, target] }: (typeof jobs)[number]): Promise<void> => {
    const inner = hidden.next();
    const hiddenPath = /^PUT ([^?]+)/.exec(inner.toString('latin1'))?.[1] ?? '';
    const answers = await answersTo(await connect(), row.build(method, target, inner));
    attempts.push({ name: nameOf(row, method), hiddenPath, answers });
  };
  for (let at = 0; at < jobs.length; at += AT_ONCE) await Promise.all(jobs.slice(at, at + AT_ONCE).map(send));
  return attempts;
}

/** Another field's name, or behind an empty one, which hides it (A68): no reader behind the socket sees a length. */
function hasNoLength(name: string): boolean {
  return name.includes('Content_Length') || name.includes('": x\\r\\nContent-Length');
}

function nameOf({ name }: SmugglingCase, method: string): string {
  return `${method} ${JSON.stringify(name)}`;
}

describe('the smuggling corpus, directly', () => {
  let server: ServerProcess;

  before(async () => {
    server = await ServerProcess.start();
    await put(server.port, server.signedTarget('known', 5), 'known');
  });

  after(() => server.stop());

  it('A62 A63 A64 A65 no hidden request reaches a handler or the store', async (test) => {
    const hidden = new HiddenPuts(server);
    const attempts = await sendCorpus(() => RawConnection.open(server.port), hidden);
    const paths = new Set((await linesUpToNow(server)).map((line) => line['path']));
    const seen = attempts.filter(({ hiddenPath, name }) => paths.has(hiddenPath) && !hasNoLength(name));
    assert.deepEqual(seen, []);
    test.diagnostic(`${attempts.length} requests of the corpus`);
  });
});

for (const [name, prepare] of [
  ['nginx', nginx()],
  ['haproxy', haproxy()],
] as const) {
  describe(`the smuggling corpus, through ${name}`, () => {
    let edge: Edge;

    before(async () => {
      edge = await Edge.start({ prepare });
      await put(edge.server.port, edge.server.signedTarget('known', 5), 'known');
    });

    after(() => edge.stop());

    it('A62 A63 A64 A65 the server sees no request that the proxy did not see', async (test) => {
      const hidden = new HiddenPuts(edge.server);
      const attempts = await sendCorpus(() => edge.connect(), hidden);
      const lines = await edge.linesUpToNow();
      const extra = attempts.filter((attempt) => countOf(lines, attempt.hiddenPath) > Math.max(0, attempt.answers - 1));
      assert.deepEqual(extra, []);
      // Connections to the server that were used before are not out of step.
      const answer = await edge.exchange(edge.request('GET', '/files/known'));
      assert.equal(answer.body.toString(), 'known');
      const passed = attempts.filter(({ hiddenPath }) => countOf(lines, hiddenPath) > 0).length;
      test.diagnostic(`${attempts.length} requests of the corpus, ${passed} of them two for ${name} itself`);
    });
  });
}

function countOf(lines: readonly LogLine[], path: string): number {
  return lines.filter((line) => line['path'] === path && line.event === 'request.completed').length;
}
