/** Several listeners behind one port: what one of them does, the others know at once, and limits count all together. */

import assert from 'node:assert/strict';
import { readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ListenerClient, listenersOf } from '../support/listener-client.ts';
import { content } from '../support/paced-transfer.ts';
import { RawConnection, requestBytes } from '../support/raw-http.ts';
import { ServerProcess, TEST_SECRET, type TomlSettings } from '../support/server-process.ts';
import { slotTarget } from '../support/sign.ts';
import { eventually } from '../support/store-state.ts';

const NEW_SECRET = 'another-secret-that-only-tests-know';
const SMALL = content('small', 3_000);

async function withServer(settings: TomlSettings, run: (server: ServerProcess) => Promise<void>): Promise<void> {
  const server = await ServerProcess.start({ settings: { Listeners: 2, ...settings } });
  try {
    await run(server);
  } finally {
    await server.stop();
  }
}

/** The value of a metric, summed over its labels. */
async function metric(server: ServerProcess, name: string): Promise<number> {
  const text = await (await fetch(`${server.operatorOrigin}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  assert.ok(lines.length > 0, name);
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Metrics follow events, which come in batches. */
async function metricBecomes(server: ServerProcess, name: string, wanted: number): Promise<void> {
  const deadline = performance.now() + 5_000;
  let value = await metric(server, name);
  while (value !== wanted && performance.now() < deadline) value = await metric(server, name);
  assert.equal(value, wanted, name);
}

let server: ServerProcess;
let clients: readonly ListenerClient[];
let one: ListenerClient;
let other: ListenerClient;

before(async () => {
  server = await ServerProcess.start({ settings: { Listeners: 2 } });
  clients = await ListenerClient.connectAll(server, 6);
  const [first, second] = clients;
  assert.ok(first !== undefined && second !== undefined);
  one = first;
  other = second;
});

after(async () => {
  for (const client of clients) client.drop();
  await server.stop();
});

test('connections go to each in turn', () => {
  const listeners = clients.map(({ listener }) => listener);
  assert.equal(listenersOf(clients).length, 2);
  assert.deepEqual(
    listeners,
    [...Array(6).keys()].map((index) => listeners[index % 2]),
  );
});

test('clients have their addresses, on whichever listener they are', () => {
  const received = server.lines.filter(({ event }) => event === 'request.received');
  assert.ok(received.length >= 6);
  assert.deepEqual([...new Set(received.map((line) => line['remote']))], ['127.0.0.1']);
});

test('what is stored through one is there for the other as soon as it is answered', async () => {
  for (let round = 0; round < 50; round += 1) {
    const [writer, reader] = round % 2 === 0 ? [one, other] : [other, one];
    const key = `read-your-writes/${round}`;
    assert.equal((await reader.get(key)).status, 404);
    assert.equal(await writer.put(key, SMALL), 201);
    const answer = await reader.get(key);
    assert.equal(answer.status, 200);
    assert.ok(answer.body.equals(SMALL));
  }
});

test('large bodies come back whole from the other listener', async () => {
  const large = content('large', 5_000_000);
  assert.equal(await one.put('large.bin', large), 201);
  assert.ok((await other.get('large.bin')).body.equals(large));
  // A refusal may end its connection, as long as the body is still coming.
  const late = await ListenerClient.connect(server);
  assert.equal(await late.put('large.bin', large), 409);
  late.drop();
});

test('a hot file that another listener replaced is not answered from memory', async () => {
  const key = 'hot/file.bin';
  for (let round = 0; round < 5; round += 1) {
    const body = content(`hot ${round}`, 2_000);
    assert.equal(await other.put(key, body), 201);
    for (let read = 0; read < 20; read += 1) assert.ok((await one.get(key)).body.equals(body), `round ${round}`);
    // The slot is free again, while the first listener still has the file in memory.
    unlinkSync(join(server.storeDir, key));
  }
});

test('metrics count what all listeners did', async () => {
  const [requests, uploads] = [
    await metric(server, 'hmac_http_requests_total'),
    await metric(server, 'hmac_file_server_uploads_total'),
  ];
  for (const [index, client] of clients.entries()) {
    assert.equal(await client.put(`metrics/${index}`, SMALL), 201);
    assert.equal((await client.get(`metrics/${index}`)).status, 200);
  }
  await metricBecomes(server, 'hmac_http_requests_total', requests + 12);
  await metricBecomes(server, 'hmac_file_server_uploads_total', uploads + 6);
  await metricBecomes(server, 'hmac_http_requests_in_flight', 0);
  await metricBecomes(server, 'hmac_active_connections_total', clients.length);
  assert.equal(await metric(server, 'hmac_uploads_in_flight'), 0);
  // Two lanes and two, or more, and the thread of short jobs.
  assert.ok((await metric(server, 'hmac_pool_workers')) >= 5);
  assert.equal(await metric(server, 'hmac_events_dropped_total'), 0);
});

test('A74 MaxConcurrentUploads counts the uploads of all listeners', async () => {
  await withServer({ MaxConcurrentUploads: 4 }, async (server) => {
    const clients = await ListenerClient.connectAll(server, 6);
    assert.equal(listenersOf(clients).length, 2);
    const body = content('limit', 100);
    const [open, refused] = [clients.slice(0, 4), clients.slice(4)];
    for (const [index, client] of open.entries()) await client.beginUpload(`open/${index}`, body, 50);
    await eventually(() => server.stagingFiles().length === 4, 'four uploads are being received');
    assert.equal(await metric(server, 'hmac_uploads_in_flight'), 4);
    for (const [index, client] of refused.entries()) assert.equal(await client.put(`refused/${index}`, body), 503);
    const [first] = open;
    await first?.connection.send(body.subarray(50));
    assert.equal((await first?.connection.finalResponse())?.status, 201);
    for (const client of await ListenerClient.connectAll(server, 2)) {
      assert.equal(await client.put(`accepted/${client.listener}`, body), 201);
      client.drop();
    }
    for (const client of clients) client.drop();
  });
});

test('MaxConnections counts the connections of all listeners', async () => {
  await withServer({ MaxConnections: 5 }, async (server) => {
    const clients = await ListenerClient.connectAll(server, 5);
    assert.equal(listenersOf(clients).length, 2);
    for (let index = 0; index < 4; index += 1) {
      const above = await RawConnection.open(server.port);
      await above.closed();
      above.drop();
    }
    assert.equal((await clients[0]?.get('none'))?.status, 404);
    clients[0]?.drop();
    clients[1]?.drop();
    await metricBecomes(server, 'hmac_active_connections_total', 3);
    const again = await ListenerClient.connectAll(server, 2);
    for (const client of [...clients, ...again]) client.drop();
  });
});

test('F69 SIGHUP reaches every listener before it is logged as done', async () => {
  await withServer({}, async (server) => {
    const clients = await ListenerClient.connectAll(server, 4);
    assert.equal(listenersOf(clients).length, 2);
    const file = join(server.folder, 'config.toml');
    const put = async (client: ListenerClient, secret: string, key: string): Promise<number> => {
      await client.connection.send(requestBytes('PUT', slotTarget(secret, '/files/', key, SMALL.length), {}, SMALL));
      return (await client.connection.finalResponse()).status;
    };
    const text = readFileSync(file, 'utf8').replace(TEST_SECRET, NEW_SECRET);
    writeFileSync(file, text);
    server.kill('SIGHUP');
    await server.event('config.reloaded');
    for (const [index, client] of clients.entries()) {
      assert.equal(await put(client, TEST_SECRET, `old/${index}`), 403);
      assert.equal(await put(client, NEW_SECRET, `new/${index}`), 201);
    }
    // The level of the log decides what listeners tell of at all.
    writeFileSync(file, text.replace('LogLevel = "debug"', 'LogLevel = "info"'));
    server.kill('SIGHUP');
    await server.event('config.reloaded', 10_000, (line) => String(line['changed']) === 'LogLevel');
    const seen = server.lines.length;
    for (const [index, client] of clients.entries()) assert.equal(await put(client, NEW_SECRET, `info/${index}`), 201);
    await eventually(() => server.lines.length >= seen + clients.length, 'four requests are logged');
    assert.deepEqual([...new Set(server.lines.slice(seen).map(({ event }) => event))], ['request.completed']);
    for (const client of clients) client.drop();
  });
});

test('a store that fails for one listener takes no writes from any, and /readyz says so', async () => {
  await withServer({ Durability: 'none' }, async (server) => {
    const clients = await ListenerClient.connectAll(server, 4);
    assert.equal(await clients[0]?.put('kept.bin', SMALL), 201);
    rmSync(join(server.storeDir, '.hfs/staging'), { recursive: true });
    assert.notEqual(await clients[0]?.put('fails.bin', SMALL), 201);
    await server.event('storage.degraded');
    for (const client of await ListenerClient.connectAll(server, 4)) {
      assert.equal(await client.put(`refused/${client.listener}`, SMALL), 503);
      assert.ok((await client.get('kept.bin')).body.equals(SMALL));
      client.drop();
    }
    assert.equal(server.lines.filter(({ event }) => event === 'storage.degraded').length, 1);
    assert.equal((await fetch(`${server.operatorOrigin}/readyz`)).status, 503);
    assert.equal(await metric(server, 'hmac_store_degraded'), 1);
    for (const client of clients) client.drop();
  });
});

test('a hot file that another listener replaced with a version is the new one as soon as that is answered', async () => {
  await withServer({ EnableVersioning: true, MaxVersions: 1 }, async (server) => {
    const clients = await ListenerClient.connectAll(server, 2);
    const [reader, writer] = clients;
    assert.ok(reader !== undefined && writer !== undefined && reader.listener !== writer.listener);
    for (let round = 0; round < 20; round += 1) {
      const body = content(`version ${round}`, 2_000);
      assert.equal(await writer.put('hot.bin', body), 201);
      for (let read = 0; read < 12; read += 1) assert.ok((await reader.get('hot.bin')).body.equals(body), `${round}`);
    }
    for (const client of clients) client.drop();
  });
});

test('request ids are unique, and every request has its events', async () => {
  await withServer({}, async (server) => {
    const clients = await ListenerClient.connectAll(server, 6);
    const uploads = Array.from({ length: 300 }, (_, index) => index);
    await Promise.all(
      clients.map(async (client, number) => {
        for (const index of uploads) if (index % clients.length === number) await client.put(`events/${index}`, SMALL);
      }),
    );
    const count = (event: string): number => server.lines.filter((line) => line.event === event).length;
    const requests = clients.length + uploads.length;
    await eventually(() => count('request.completed') === requests, 'every request is logged');
    assert.equal(count('request.received'), requests);
    for (const event of ['upload.created', 'upload.completed', 'signature.checked']) {
      assert.equal(count(event), uploads.length, event);
    }
    const ids = server.lines.flatMap((line) => (line.event === 'request.completed' ? [line['request_id']] : []));
    assert.equal(new Set(ids).size, requests);
    assert.equal(count('request.failed'), 0);
    for (const client of clients) client.drop();
  });
});
