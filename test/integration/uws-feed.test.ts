/** Answers without an end: what is pushed to a client that reads, to one that does not, and to one that is gone. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { TrustedProxies } from '../../src/main/http/client-address.ts';
import type { Exchange } from '../../src/main/http/exchange.ts';
import { loadUws } from '../../src/main/uws/load-uws.ts';
import { StalledReaders } from '../../src/main/uws/stalled-readers.ts';
import { UwsServer } from '../../src/main/uws/uws-server.ts';
import { SharedCount } from '../../src/shared/shared-count.ts';

const PART = 'x'.repeat(64 * 1024);
/** More than the socket buffers of both sides can hold. */
const MANY_PARTS = 2_000;

let server: UwsServer;
let port = 0;
let exchanges: Exchange[] = [];
let moved = 0;

beforeEach(async () => {
  exchanges = [];
  moved = 0;
  server = new UwsServer({
    uws: await loadUws(),
    name: 'test',
    connections: new SharedCount(SharedCount.allocate(1), 0),
    maxConnections: 10,
    requests: new SharedCount(SharedCount.allocate(1), 0),
    certificate: null,
    readers: new StalledReaders(StalledReaders.allocate(1), 0, () => {}),
    streams: new SharedCount(SharedCount.allocate(1), 0),
    proxies: () => new TrustedProxies({ ranges: [], hasUnixSocket: false }),
    traffic: {
      add: (_received, sent) => {
        moved += sent;
      },
    },
    handle: (exchange) => {
      exchanges.push(exchange);
      exchange.beginFeed(200, [['Content-Type', 'text/plain']]);
    },
    onError: (error) => assert.fail(String(error)),
  });
  port = (await server.listen('127.0.0.1', 0, false)) ?? 0;
});

afterEach(() => server.closeAll());

async function open(): Promise<{ socket: ReturnType<typeof connect>; exchange: Exchange }> {
  const socket = connect(port, '127.0.0.1');
  socket.pause().write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  while (exchanges.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const [exchange] = exchanges;
  assert.ok(exchange !== undefined);
  return { socket, exchange };
}

function pushMany(exchange: Exchange): number {
  let pushed = 0;
  while (pushed < MANY_PARTS && exchange.push(PART)) pushed += 1;
  return pushed;
}

test('a client that does not read is not sent more, until it has read what there was', async () => {
  const { socket, exchange } = await open();
  const pushed = pushMany(exchange);
  assert.ok(pushed < MANY_PARTS);
  assert.equal(exchange.push('more'), false);
  assert.equal(exchange.bytesOut, pushed * PART.length);
  socket.resume();
  while (!exchange.push('more')) await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
});

test('what is pushed arrives as it was, in chunks', async () => {
  const { socket, exchange } = await open();
  exchange.push('first\n');
  exchange.push('second\n');
  let text = '';
  socket.resume().on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  while (!text.includes('second')) await once(socket, 'data');
  assert.match(text, /^HTTP\/1\.1 200 OK\r\nContent-Type: text\/plain\r\n/);
  assert.match(text, /\r\nTransfer-Encoding: chunked\r\n/);
  assert.match(text, /6\r\nfirst\n\r\n7\r\nsecond\n/);
  socket.destroy();
});

test('nothing is pushed to a client that is gone, and what it got is counted', async () => {
  const { socket, exchange } = await open();
  exchange.push('something');
  const gone = new Promise((resolve) => exchange.onGone(resolve));
  socket.destroy();
  assert.equal(await gone, 'client');
  assert.equal(exchange.push('more'), false);
  while (moved === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(moved, 'something'.length);
});
