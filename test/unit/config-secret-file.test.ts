/** The generated secret: made once, private, beside the store, used again; never taken from a file that others can read. */

import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { UnresolvedConfig } from '../../src/main/config/config.ts';
import { readGeneratedSecret, resolveSecret, SecretFileError } from '../../src/main/config/secret-file.ts';
import { configOf, inFolder, MINIMAL } from '../support/config-fixture.ts';

/** A configuration without a secret, whose store is in a fresh folder. */
function withStore<T>(use: (config: UnresolvedConfig, secretFile: string) => T): T {
  return inFolder((folder) => {
    const storeDir = join(folder, 'data', 'uploads');
    return use(configOf(`StoreDir = "${storeDir}"\n`), `${storeDir}.secret`);
  });
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o7777).toString(8);
}

describe('a server without a secret', () => {
  it('makes one of 32 random bytes, keeps it beside the store with mode 0600, and finds it again', () => {
    withStore((config, secretFile) => {
      const first = resolveSecret(config);
      assert.deepEqual([first.isNew, first.secretFile, first.config.secretSource], [true, secretFile, 'generated']);
      assert.match(first.config.secret, /^[A-Za-z0-9_-]{43}$/);
      assert.equal(readFileSync(secretFile, 'utf8'), `${first.config.secret}\n`);
      assert.equal(modeOf(secretFile), '600');
      assert.ok(Object.isFrozen(first.config));
      const second = resolveSecret(config);
      assert.deepEqual([second.isNew, second.config.secret], [false, first.config.secret]);
      assert.deepEqual(readdirSync(join(secretFile, '..')), ['uploads.secret']);
    });
  });

  it('does not depend on the umask, and creates no store', () => {
    withStore((config, secretFile) => {
      const umask = process.umask(0o277);
      try {
        mkdirSync(join(secretFile, '..'), { mode: 0o700 });
        chmodSync(join(secretFile, '..'), 0o700);
        resolveSecret(config);
      } finally {
        process.umask(umask);
      }
      assert.equal(modeOf(secretFile), '600');
      assert.ok(!existsSync(config.storeDir));
    });
  });

  it('uses the secret of another start that was faster', () => {
    withStore((config, secretFile) => {
      mkdirSync(join(secretFile, '..'));
      writeFileSync(secretFile, 'the-secret-of-the-other-start\n', { mode: 0o600 });
      const { config: resolved, isNew } = resolveSecret(config);
      assert.deepEqual([resolved.secret, isNew], ['the-secret-of-the-other-start', false]);
    });
  });

  it('makes different secrets for different stores', () => {
    const secrets = [1, 2].map(() => withStore((config) => resolveSecret(config).config.secret));
    assert.notEqual(secrets[0], secrets[1]);
  });

  it('says so when it cannot write one', () => {
    inFolder((folder) => {
      writeFileSync(join(folder, 'file'), '');
      const config = configOf(`StoreDir = "${join(folder, 'file', 'uploads')}"\n`);
      assert.throws(() => resolveSecret(config), /^SecretFileError: cannot (?:read|write) the secret file /);
    });
  });
});

describe('a configured secret', () => {
  it('is taken as it is, and no file is made or read', () => {
    inFolder((folder) => {
      const config = configOf(`StoreDir = "${join(folder, 'uploads')}"\nSecret = "a-secret-of-24-characters"\n`);
      const { config: resolved, secretFile, isNew } = resolveSecret(config);
      assert.deepEqual([resolved.secret, secretFile, isNew], ['a-secret-of-24-characters', null, false]);
      assert.deepEqual(readdirSync(folder), []);
    });
    assert.equal(resolveSecret(configOf(MINIMAL)).config.secretSource, 'config');
  });
});

describe('a secret file', () => {
  const refused: readonly (readonly [string, string, number, RegExp])[] = [
    ['readable by the group', 'secret\n', 0o640, /is open to others \(mode 0640\); run: chmod 600/],
    ['readable by everybody', 'secret\n', 0o604, /is open to others \(mode 0604\)/],
    ['writable by the group', 'secret\n', 0o620, /is open to others/],
    ['empty', '', 0o600, /holds no secret; delete it, and a new one is made/],
    ['blank', ' \n', 0o600, /holds no secret/],
    ['binary', 'a\0b', 0o600, /holds no secret/],
  ];
  for (const [what, text, mode, message] of refused) {
    it(`is refused when it is ${what}`, () => {
      withStore((config, secretFile) => {
        mkdirSync(join(secretFile, '..'));
        writeFileSync(secretFile, text);
        chmodSync(secretFile, mode);
        assert.throws(
          () => resolveSecret(config),
          (error) =>
            error instanceof SecretFileError && message.test(error.message) && error.message.includes(secretFile),
        );
        assert.equal(readFileSync(secretFile, 'utf8'), text);
      });
    });
  }

  it('is refused when it is a folder', () => {
    withStore((config, secretFile) => {
      mkdirSync(secretFile, { recursive: true });
      assert.throws(() => resolveSecret(config), /cannot read the secret file .*: it is a folder/);
    });
  });

  it('may be a link to a private file', () => {
    withStore((config, secretFile) => {
      mkdirSync(join(secretFile, '..'));
      writeFileSync(`${secretFile}.real`, 'a-secret-behind-a-link', { mode: 0o600 });
      symlinkSync(`${secretFile}.real`, secretFile);
      assert.equal(readGeneratedSecret(config.storeDir), 'a-secret-behind-a-link');
    });
  });

  it('is null to those who only look, when there is none', () => {
    withStore((config, secretFile) => {
      assert.equal(readGeneratedSecret(config.storeDir), null);
      assert.ok(!existsSync(join(secretFile, '..')));
    });
  });
});
