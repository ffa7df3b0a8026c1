/** The load generator against a small server: what it sends, what it counts, and that wrong answers never count as speed. */

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { bench } from '../support/bench-command.ts';
import { LoadTarget, type LoadTargetOptions } from '../support/load-target.ts';

let directory = '';

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'bench-loads-'));
});

after(() => {
  assert.deepEqual(readdirSync(directory), [], 'runs leave no files behind');
  rmSync(directory, { recursive: true });
});

/** Runs a test with a server that behaves as told. */
async function withTarget(options: LoadTargetOptions, use: (target: LoadTarget) => Promise<void>): Promise<void> {
  const target = await LoadTarget.start(options);
  try {
    await use(target);
  } finally {
    await target.stop();
  }
}

test('signed PUTs: exactly as many as asked for, each to a fresh path, and read again afterwards', async () => {
  await withTarget({}, async (target) => {
    const line = `put size=10KB requests=40 connections=4 --target ${target.url} --secret s`;
    const { status, run, load } = await bench(line, directory);
    assert.equal(status, 0);
    assert.deepEqual([load.requests, load.bytes, load.latency.count, load.errors], [40, 400_000, 40, {}]);
    assert.equal(target.count('PUT'), 40);
    assert.equal(target.files.size, 40);
    assert.ok(target.requests.filter((each) => each.startsWith('PUT')).every((each) => /\?v=[0-9a-f]{64}$/.test(each)));
    assert.ok((run.readBack?.checked ?? 0) > 0 && target.count('GET') === run.readBack?.checked);
    assert.ok([...target.files.values()].every((body) => body.length === 10_000));
  });
});

test('random sizes of a mix all arrive with their own length', async () => {
  await withTarget({}, async (target) => {
    const line = `put size=1B..64KiB:3,2MiB:1 requests=30 connections=3 --target ${target.url} --sign none`;
    const { status, load } = await bench(line, directory);
    assert.equal(status, 0);
    const sizes = [...target.files.values()].map((body) => body.length);
    assert.equal(
      load.bytes,
      sizes.reduce((sum, size) => sum + size, 0),
    );
    assert.ok(new Set(sizes).size > 10);
  });
});

test('GET, HEAD and ranges are asked of files that were uploaded for them', async () => {
  await withTarget({}, async (target) => {
    for (const [line, bytes] of [
      ['get size=30KB files=5 requests=50 connections=4', 1_500_000],
      ['get size=3MB range=1000 files=2 requests=50 connections=4', 50_000],
      ['head size=30KB files=5 requests=50 connections=4', 0],
    ] as const) {
      const { status, load } = await bench(`${line} --target ${target.url}`, directory);
      assert.deepEqual([status, load.requests, load.bytes, load.errors], [0, 50, bytes, {}], line);
    }
  });
});

test('a tus upload goes in pieces at the offset reached (tus 1.0, PATCH)', async () => {
  await withTarget({}, async (target) => {
    const line = `append size=2500KB piece=1000KB requests=6 connections=2 --target ${target.url}`;
    const { status, load } = await bench(line, directory);
    assert.deepEqual([status, load.errors, load.bytes], [0, {}, 15_000_000]);
    assert.deepEqual([target.count('POST'), target.count('PATCH'), target.files.size], [6, 18, 6]);
  });
});

test('a load with churn makes a connection for every request', async () => {
  await withTarget({}, async (target) => {
    const { status, load } = await bench(`put size=1KiB requests=20 churn --target ${target.url}`, directory);
    assert.deepEqual([status, load.requests, load.errors], [0, 20, {}]);
    assert.ok(target.connections >= 20);
  });
});

test('slow clients take the time that their pace asks for', async () => {
  await withTarget({}, async (target) => {
    const line = `put size=20KB speed=50KB requests=2 connections=2 --target ${target.url}`;
    const { status, load } = await bench(line, directory);
    assert.equal(status, 0);
    assert.ok(load.latency.p50Ms >= 290 && load.latency.maxMs < 5000, `${load.latency.p50Ms} ms`);
  });
});

test('two loads run at the same time, and the first that is over ends both', async () => {
  await withTarget({}, async (target) => {
    const line = `put size=1MiB requests=10 + get size=1KiB files=2 rate=200 connections=2 --target ${target.url}`;
    const { status, run } = await bench(line, directory);
    assert.equal(status, 0);
    assert.deepEqual([run.loads[0]?.requests, run.loads[1]?.isOpenLoop], [10, true]);
    assert.ok(run.seconds < 60);
  });
});

test('a fixed URL is read as it is found, and a later change is noticed', async () => {
  let body = Buffer.alloc(50_000, 'a');
  const intercept: LoadTargetOptions['intercept'] = (_, response, count) => {
    if (count === 20) body = Buffer.alloc(50_000, 'b');
    response.writeHead(200, { 'Content-Length': body.length }).end(body);
    return true;
  };
  await withTarget({ intercept }, async (target) => {
    const { status, load } = await bench(`get requests=30 --target ${target.url}file.bin`, directory);
    assert.deepEqual([status, load.requests, load.errors], [1, 18, { 'wrong content': 12 }]);
  });
});

test('an upload that is answered 201 and stored wrongly is found when it is read again', async () => {
  const tamper: LoadTargetOptions['tamper'] = (body) => {
    body[body.length - 1] = (body[body.length - 1] ?? 0) ^ 1;
    return body;
  };
  await withTarget({ tamper }, async (target) => {
    const { status, run, load } = await bench(`put size=1KiB requests=5 --target ${target.url}`, directory);
    assert.equal(status, 1);
    assert.deepEqual(load.errors, {});
    assert.deepEqual(run.readBack?.errors, { 'wrong content': run.readBack?.checked });
  });
});

test('a fast wrong answer counts as an error of its kind, and its bytes do not count', async () => {
  const wrongs: [string, LoadTargetOptions['intercept']][] = [
    ['status 503', (_, response) => response.writeHead(503).end('busy') !== undefined],
    ['wrong length', (_, response) => response.writeHead(200).end('short') !== undefined],
    ['wrong content', (_, response) => response.writeHead(200).end(Buffer.alloc(2000, 'x')) !== undefined],
    ['malformed answer', (_, response) => response.socket?.end('HTTP/1.1 OK\r\n\r\n') !== undefined],
    ['closed early', (_, response) => response.socket?.end('HTTP/1.1 200 OK\r\nContent-Le') !== undefined],
    ['read ECONNRESET', (_, response) => response.socket?.resetAndDestroy() !== undefined],
  ];
  for (const [kind, wrong] of wrongs) {
    const intercept: LoadTargetOptions['intercept'] = (request, response, count) =>
      request.method === 'GET' && wrong?.(request, response, count) === true;
    await withTarget({ intercept }, async (target) => {
      const line = `get size=2KB files=1 requests=6 connections=2 --target ${target.url}`;
      const { status, load } = await bench(line, directory);
      assert.deepEqual([status, load.requests, load.bytes, load.errors], [1, 0, 0, { [kind]: 6 }], kind);
    });
  }
});

test('nobody listening is an error of the target, not a result', async () => {
  const target = await LoadTarget.start();
  const { url } = target;
  await target.stop();
  const { status, load } = await bench(`put duration=300ms --target ${url}`, directory);
  assert.equal(status, 1);
  assert.ok((load.errors['connect ECONNREFUSED'] ?? 0) > 0);
  assert.equal(load.requests, 0);
});

test('requests that are never answered are counted when the run ends', async () => {
  await withTarget({ intercept: () => true }, async (target) => {
    const { status, load } = await bench(`put timeout=200ms duration=500ms --target ${target.url}`, directory);
    assert.equal(status, 1);
    assert.ok((load.errors['timeout'] ?? 0) >= 1);
  });
});

test('in an open loop every request that a stall delayed shows it; a closed loop shows it once', async () => {
  const stallMs = 500;
  const stallOnce: LoadTargetOptions['intercept'] = (_, __, count) => {
    if (count === 30) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stallMs);
    return false;
  };
  const p90Of = async (line: string): Promise<number> => {
    let p90Ms = 0;
    await withTarget({ intercept: stallOnce }, async (target) => {
      const { load } = await bench(`${line} --no-read-back --target ${target.url}`, directory);
      p90Ms = load.latency.p90Ms;
    });
    return p90Ms;
  };
  assert.ok((await p90Of('put size=100 requests=400 connections=1')) < stallMs / 2);
  assert.ok((await p90Of('put size=100 requests=400 connections=1 rate=200')) > stallMs / 4);
});

test('what was uploaded to a URL is deleted where the server offers it, and counted where it does not', async () => {
  await withTarget({}, async (target) => {
    const line = `put size=1KiB requests=12 connections=2 --target ${target.url}`;
    assert.equal((await bench(`${line} --delete`, directory)).run.filesLeft, 0);
    assert.equal(target.files.size, 0);
    assert.ok((await bench(line, directory)).run.filesLeft >= 12);
    assert.equal(target.files.size, 12);
  });
});

test('a run ends when its uploads hold as much as they may', async () => {
  await withTarget({}, async (target) => {
    const line = `put size=100KB connections=3 duration=60s --max-data 2MB --target ${target.url}`;
    const { status, load, run } = await bench(line, directory);
    assert.equal(status, 0);
    assert.ok(load.bytes <= 2e6 && load.bytes > 1.5e6, String(load.bytes));
    assert.ok(run.seconds < 30);
  });
});
