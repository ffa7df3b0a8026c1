/**
 * The shipped unit under real systemd, on a machine of its own: started, reloaded, killed, stopped in the middle of an
 * upload, wrongly configured, and with two instances that take over from each other.
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { findFreePort } from '../support/free-port.ts';
import { content, PacedClient } from '../support/paced-transfer.ts';
import { RequestLoad } from '../support/request-load.ts';
import { TEST_SECRET } from '../support/server-process.ts';
import { slotTarget } from '../support/sign.ts';
import { eventually } from '../support/store-state.ts';
import { SystemdMachine } from './support/systemd-machine.ts';

const UNIT = 'hmac-file-server.service';
const SHIPPED = 'systemd/hmac-file-server.service';
const CONFIG = '/etc/hmac-file-server/config.toml';
const SECRET = '/etc/hmac-file-server/secret';
const BODY = content('systemd', 200_000);
const HANDOVERS = 3;
const REQUESTS_BETWEEN = 100;
const WAIT_MS = 10_000;

let machine: SystemdMachine;
let origin = '';
let settings = '';

async function put(path: string): Promise<number> {
  const { status, body } = await fetch(origin + slotTarget(TEST_SECRET, '/files/', path, BODY.length), {
    method: 'PUT',
    body: BODY,
  });
  await body?.cancel();
  return status;
}

async function isStored(path: string): Promise<boolean> {
  const answer = await fetch(`${origin}/files/${path}`);
  return Buffer.from(await answer.arrayBuffer()).equals(BODY);
}

function configure(extra = ''): void {
  // The server reads it as a user of its own.
  machine.write(CONFIG, settings + extra, 0o644);
}

before(async () => {
  machine = await SystemdMachine.boot();
  const port = await findFreePort();
  origin = `http://127.0.0.1:${port}`;
  settings = `ListenPort = "127.0.0.1:${port}"\nUploadSubDir = "files/"\n`;
  machine.copy(SHIPPED, `/etc/systemd/system/${UNIT}`);
  machine.write(SECRET, `${TEST_SECRET}\n`);
  configure();
  await machine.run('systemctl', 'daemon-reload');
});

after(() => machine.stop());

describe('the unit', () => {
  it('starts, as a user of its own, and stores what was signed with the secret that only root can read', async () => {
    await machine.systemctl('start', UNIT);
    await answers();
    assert.equal(await put('a.bin'), 201);
    assert.ok(await isStored('a.bin'));
    const { MainPID: pid = '' } = await machine.state(UNIT);
    const { stdout } = await machine.run('stat', '--format=%U %a', `/proc/${pid}`, '/var/lib/hmac-file-server/files');
    assert.match(stdout, /^hmac-file-server 555\nhmac-file-server 7[0-7]0\n$/);
  });

  it('reads its configuration again when it is reloaded', async () => {
    configure('MaxUploadSize = 100000\n');
    await machine.systemctl('reload', UNIT);
    await eventually(async () => (await put(`large-${performance.now()}`)) === 413, 'too large', WAIT_MS);
    configure();
    await machine.systemctl('reload', UNIT);
    await eventually(async () => (await put('fits')) === 201, 'not too large', WAIT_MS);
  });

  it('is started again when it is killed, and has lost nothing', async () => {
    await machine.systemctl('kill', UNIT, '--signal=KILL');
    await machine.until(UNIT, (state) => state['NRestarts'] === '1' && state['SubState'] === 'running', 'restarts');
    await answers();
    assert.ok(await isStored('a.bin'));
    assert.equal(await put('b.bin'), 201);
  });

  it('finishes an upload that runs when it is stopped, and ends with success', async () => {
    const client = await PacedClient.connect({ port: Number(new URL(origin).port) });
    const target = slotTarget(TEST_SECRET, '/files/', 'last.bin', BODY.length);
    await client.send(`PUT ${target} HTTP/1.1\r\nHost: test\r\nContent-Length: ${BODY.length}\r\n\r\n`);
    await client.send(BODY.subarray(0, 1_000));
    await machine.systemctl('stop', UNIT, '--no-block');
    await machine.until(UNIT, (state) => state['ActiveState'] === 'deactivating', 'stops');
    await client.send(BODY.subarray(1_000));
    assert.equal((await client.receiveAnswer('PUT')).status, 201);
    client.close();
    const { Result } = await machine.until(UNIT, (state) => state['ActiveState'] === 'inactive', 'has stopped');
    assert.equal(Result, 'success');
    await machine.systemctl('start', UNIT);
    await answers();
    assert.ok(await isStored('last.bin'));
    await machine.systemctl('stop', UNIT);
  });

  it('is not tried again with a configuration that is wrong, and the journal says what is wrong', async () => {
    configure('ListenPrt = 80\n');
    await machine.run('systemctl', 'start', UNIT);
    const state = await machine.until(UNIT, ({ ActiveState }) => ActiveState === 'failed', 'fails');
    assert.deepEqual([state['ExecMainStatus'], state['NRestarts']], ['78', '0']);
    assert.match(await machine.journal(UNIT), /config\.toml:3:1: .*ListenPrt/);
    configure();
    await machine.run('systemctl', 'reset-failed', UNIT);
  });
});

describe('two instances with handover.conf', () => {
  const instances = ['a', 'b'].map((name) => `hmac-file-server@${name}.service`);
  const [first = '', second = ''] = instances;
  const socket = '/run/hmac-file-server/server.sock';

  it(`take over from each other ${HANDOVERS} times, and no request fails`, async () => {
    const folder = '/etc/systemd/system/hmac-file-server@.service';
    machine.copy(SHIPPED, folder);
    machine.copy('systemd/handover.conf', `${folder}.d/handover.conf`);
    await machine.run('useradd', '--system', '--no-create-home', '--shell', '/usr/sbin/nologin', 'hmac-file-server');
    settings = `ListenPort = "${socket}"\nUnixSocket = true\nSharedPort = true\nUploadSubDir = "files/"\n`;
    configure();
    await machine.run('systemctl', 'daemon-reload');
    await machine.systemctl('start', first);
    await machine.until(first, () => machine.has(socket), 'listens');
    const load = new RequestLoad({ socketPath: join(machine.root, socket) }, 8);
    let [running, next] = [first, second];
    for (let round = 0; round < HANDOVERS; round += 1) {
      await load.reaches(load.count + REQUESTS_BETWEEN);
      await machine.systemctl('start', next);
      const ended = await machine.until(running, ({ ActiveState }) => ActiveState === 'inactive', 'has ended');
      assert.deepEqual([ended['Result'], ended['ExecMainStatus'], ended['NRestarts']], ['success', '0', '0']);
      [running, next] = [next, running];
    }
    await load.reaches(load.count + REQUESTS_BETWEEN);
    assert.deepEqual((await load.stop()).failures, []);
    assert.equal((await machine.state(running))['ActiveState'], 'active');
  });
});

/** `Type=exec` is active before the server listens. */
function answers(): Promise<void> {
  return eventually(
    async () => {
      const answer = await fetch(origin).catch(() => null);
      await answer?.body?.cancel();
      return answer !== null;
    },
    'answers',
    WAIT_MS,
  );
}
