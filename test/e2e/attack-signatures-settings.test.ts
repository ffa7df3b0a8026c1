/** Attacks on signatures that depend on the configuration. Each title begins with the number of the attack. */

import assert from 'node:assert/strict';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { get, put } from '../support/raw-http.ts';
import { ServerProcess, TEST_SECRET, type TomlSettings } from '../support/server-process.ts';
import { signDelete, signV, signV3 } from '../support/sign.ts';
import { eventually, publicTreeOf } from '../support/store-state.ts';

const BODY = 'abcde';

async function withServer(settings: TomlSettings, run: (server: ServerProcess) => Promise<void>): Promise<void> {
  const server = await ServerProcess.start({ settings });
  try {
    await run(server);
  } finally {
    await server.stop();
  }
}

async function upload(server: ServerProcess, key: string, mac: string): Promise<number> {
  return (await put(server.port, `/files/${key}?v=${mac}`, BODY)).status;
}

test('A44 the base path is under the signature only as SignedPath says', async () => {
  const expected = { relative: [201, 403], full: [403, 201], either: [201, 201] } as const;
  for (const [signedPath, statuses] of Object.entries(expected)) {
    await withServer({ SignedPath: signedPath }, async (server) => {
      const byPath = async (key: string, path: string): Promise<number> =>
        upload(server, key, signV(TEST_SECRET, path, 5));
      assert.deepEqual([await byPath('a', 'a'), await byPath('b', 'files/b')], statuses, signedPath);
      for (const path of ['/c', '/files/c', '/files//c', 'files//c', 'c/'])
        assert.equal(await byPath('c', path), 403, path);
      const expires = Math.floor(Date.now() / 1_000) + 60;
      for (const [path, status] of [
        ['/files/d', 201],
        ['d', 403],
        ['/d', 403],
      ] as const) {
        const target = `/files/d?v3=${signV3(TEST_SECRET, path, expires)}&expires=${expires}`;
        assert.equal((await put(server.port, target, BODY)).status, status, path);
      }
    });
  }
});

test('A45 a previous secret verifies until it is removed, also by a reload', async () => {
  await withServer({ PreviousSecrets: ['the-secret-before-this-one'] }, async (server) => {
    const byPrevious = (key: string): Promise<number> =>
      upload(server, key, signV('the-secret-before-this-one', key, 5));
    assert.equal(await byPrevious('before'), 201);
    const configFile = join(server.folder, 'config.toml');
    writeFileSync(
      configFile,
      readFileSync(configFile, 'utf8').replace(/^PreviousSecrets = .*$/m, 'PreviousSecrets = []'),
    );
    server.kill('SIGHUP');
    await server.event('config.reloaded');
    assert.equal(await byPrevious('after'), 403);
    assert.equal(await upload(server, 'current', signV(TEST_SECRET, 'current', 5)), 201);
    assert.equal((await get(server.port, '/files/before')).status, 200);
  });
});

test('A45 the delete secret signs no upload', async () => {
  await withServer({ DeleteSecret: 'a-secret-for-deletions' }, async (server) => {
    assert.equal(await upload(server, 'x', signV('a-secret-for-deletions', 'x', 5)), 403);
    const deletion = signDelete(TEST_SECRET, 'x', 'a-secret-for-deletions');
    for (const name of ['v', 'v2', 'token']) {
      assert.equal((await put(server.port, `/files/x?${name}=${deletion}`, BODY)).status, 403, name);
    }
    assert.deepEqual(publicTreeOf(server.storeDir), []);
  });
});

test('AcceptV3 = false refuses every v3 signature', async () => {
  await withServer({ AcceptV3: false }, async (server) => {
    const expires = Math.floor(Date.now() / 1_000) + 60;
    const target = `/files/x?v3=${signV3(TEST_SECRET, '/files/x', expires)}&expires=${expires}`;
    assert.equal((await put(server.port, target, BODY)).status, 403);
  });
});

test('A46 an empty or blank secret ends the start with status 78, and nothing is created', async () => {
  for (const secret of ['', ' ', '\t \n']) {
    const server = ServerProcess.spawn({ settings: { Secret: secret } });
    const { status } = await server.exited;
    assert.equal(status, 78, JSON.stringify(secret));
    assert.match(server.errors, /Secret/);
    assert.throws(() => statSync(server.storeDir), { code: 'ENOENT' });
    rmSync(server.folder, { recursive: true });
  }
});

test('A46 an empty secret in the environment ends the start with status 78', async () => {
  const server = ServerProcess.spawn({ environment: { HMAC_FILE_SERVER_SECRET: '' } });
  assert.equal((await server.exited).status, 78);
  rmSync(server.folder, { recursive: true });
});

test('A46 without a secret a random one is made, kept beside the store for its owner only, and used', async () => {
  // Takes the secret out of the configuration before the server reads it.
  const prefix = ['sh', '-c', 'sed -i /^Secret/d config.toml && exec "$@"', 'sh'];
  const server = await ServerProcess.start({ prefix });
  try {
    const file = `${server.storeDir}.secret`;
    const secret = readFileSync(file, 'utf8').trimEnd();
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(Buffer.from(secret, 'base64url').length, 32);
    for (const wrong of ['', 'undefined', 'null', TEST_SECRET, `${secret}\n`]) {
      assert.equal(await upload(server, 'x', signV(wrong, 'x', 5)), 403, wrong);
    }
    assert.equal(await upload(server, 'x', signV(secret, 'x', 5)), 201);
    assert.ok(!JSON.stringify(server.lines).includes(secret));
  } finally {
    await server.stop();
  }
});

test('A46 a placeholder and a short secret start with a warning, a block on standard error and a metric, and are never shown', async () => {
  const weak = [
    ['your-very-secure-secret-key', 'placeholder_secret'],
    ['tiny-key', 'short_secret'],
  ] as const;
  for (const [secret, reason] of weak) {
    await withServer({ Secret: secret }, async (server) => {
      const warnings = server.lines.filter((line) => line['level'] === 'warning' && line.msg.startsWith('Secret '));
      assert.equal(warnings.length, 1, JSON.stringify(warnings));
      await eventually(() => server.errors.includes('* Secret '), 'a block on standard error');
      assert.ok(!`${JSON.stringify(server.lines)}${server.errors}`.includes(secret));
      const metrics = (await get(server.metricsPort, '/metrics')).body.toString();
      assert.ok(metrics.includes(`hmac_config_warnings{reason="${reason}"} 1`));
      assert.equal(await upload(server, 'x', signV(secret, 'x', 5)), 201);
    });
  }
});
