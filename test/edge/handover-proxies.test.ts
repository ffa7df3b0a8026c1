/** SharedPort behind the shipped proxies: the server changes under load, and no client of the proxy notices. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { RequestLoad } from '../support/request-load.ts';
import { ServerProcess } from '../support/server-process.ts';
import { SERVER_NAME } from './support/certificate.ts';
import { caddy, haproxy, nginx, type Prepare, ProxyProcess } from './support/proxy-process.ts';

const HANDOVERS = 3;
const CLIENTS = 12;
const REQUESTS_BETWEEN = 200;

const proxies: readonly (readonly [name: string, prepare: Prepare])[] = [
  ['nginx', nginx()],
  ['haproxy', haproxy()],
  ['Caddy', caddy()],
];

for (const [name, prepare] of proxies) {
  test(`${name}: ${HANDOVERS} handovers behind it, and no failed request`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hmac-handover-'));
    const storeDir = join(folder, 'store');
    const upstream = join(folder, 'http.sock');
    const listen = { ListenPort: upstream, UnixSocket: true, TrustedProxies: ['unix'] };
    const settings = { ...listen, SharedPort: true, LogLevel: 'info' };
    let server = await ServerProcess.start({ storeDir, settings });
    const proxy = await ProxyProcess.start(prepare, { upstream, storeDir });
    try {
      const tls = { ca: proxy.certificate.pem, servername: SERVER_NAME };
      const load = new RequestLoad({ port: proxy.port, tls }, CLIENTS);
      for (let round = 0; round < HANDOVERS; round += 1) {
        await load.reaches(load.count + REQUESTS_BETWEEN);
        const next = await ServerProcess.start({ storeDir, settings });
        assert.equal((await server.exited).status, 0);
        await server.stop();
        server = next;
      }
      await load.reaches(load.count + REQUESTS_BETWEEN);
      assert.deepEqual((await load.stop()).failures, []);
    } finally {
      await proxy.stop();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
