/** The command line: commands, options, help, hints and exit statuses. */

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { run } from '../support/command-run.ts';
import { inFolderAsync, MINIMAL } from '../support/config-fixture.ts';

describe('serve', () => {
  const rows: readonly (readonly [readonly string[], string])[] = [
    [[], 'config.toml'],
    [['serve'], 'config.toml'],
    [['serve', '--config', 'x.toml'], 'x.toml'],
    [['--config', 'x.toml'], 'x.toml'],
    [['--config=x.toml'], 'x.toml'],
    [['-config', 'x.toml'], 'x.toml'],
    [['-config=x.toml'], 'x.toml'],
    [['serve', '-config', './x.toml'], './x.toml'],
    [['--config', 'a.toml', '--config', 'b.toml'], 'b.toml'],
    [['--config=-odd.toml'], '-odd.toml'],
  ];
  for (const [argv, file] of rows) {
    it(`reads ${file} after "${argv.join(' ')}"`, async () => {
      const { status, served, stderr } = await run(argv);
      assert.deepEqual([status, served, stderr], [0, [file], '']);
    });
  }

  it('ends with the exit status of the server', async () => {
    assert.equal((await run([], { serveStatus: 1 })).status, 1);
    assert.equal((await run(['serve'], { serveStatus: 78 })).status, 78);
  });
});

describe('a wrong command line', () => {
  const rows: readonly (readonly [readonly string[], string])[] = [
    [['srve'], 'unknown command "srve" - did you mean "serve"?'],
    [['checkconfig'], 'unknown command "checkconfig" - did you mean "check-config"?'],
    [['config.toml'], 'unknown command "config.toml" - did you mean "--config config.toml"?'],
    [['frobnicate'], 'unknown command "frobnicate"'],
    [['help', 'srve'], 'unknown command "srve" - did you mean "serve"?'],
    [['--confg', 'x'], 'unknown option "--confg" - did you mean "--config"?'],
    [['-confg', 'x'], 'unknown option "--confg" - did you mean "--config"?'],
    [['-x'], 'unknown option "-x"'],
    [['serve', '--verbose'], 'unknown option "--verbose"'],
    [['serve', '--config'], '--config needs a value: --config FILE'],
    [['serve', '--config', '--verbose'], '--config needs a value: --config FILE'],
    [['serve', 'extra'], 'unexpected argument "extra"'],
    [['serve', '--', '--config'], 'unexpected argument "--config"'],
    [['init', 'a', 'b'], 'unexpected argument "b"'],
    [['init', '--config', 'a'], 'unknown option "--config"'],
    [['sign', 'a'], 'sign needs SIZE'],
    [['sign'], 'sign needs PATH'],
    [['completion'], 'completion needs SHELL'],
    [['completion', 'fish'], 'there is no completion for "fish"; SHELL is bash or zsh'],
    [
      ['sign', 'a', '1', '--secret', 'HUSH'],
      'unknown option "--secret" - the secret is read from the configuration, never from the command line',
    ],
  ];
  for (const [argv, message] of rows) {
    it(`is answered with a hint and status 2: ${argv.join(' ')}`, async () => {
      const { status, stdout, stderr, served } = await run(argv);
      assert.deepEqual([status, stdout, served], [2, '', []]);
      const [first = ''] = argv;
      const hint = ['serve', 'init', 'sign', 'help', 'completion'].includes(first)
        ? `"hmac-file-server ${first} --help" shows its arguments and options`
        : '"hmac-file-server --help" shows the commands and options';
      assert.equal(stderr, `${message}\n${hint}\n`);
    });
  }
});

describe('help', () => {
  it('lists the commands', async () => {
    for (const argv of [['--help'], ['-h'], ['-help'], ['help']]) {
      const { status, stdout, stderr } = await run(argv);
      assert.deepEqual([status, stderr], [0, '']);
      assert.match(stdout, /^hmac-file-server \d+\.\d+\.\d+/);
      for (const name of ['serve', 'check-config', 'init', 'sign', 'help']) {
        assert.match(stdout, new RegExp(`^ {2}${name}\\b`, 'm'));
      }
    }
  });

  it('explains each command, in whichever way it is asked for', async () => {
    for (const name of ['serve', 'check-config', 'init', 'sign', 'help']) {
      const texts = await Promise.all(
        [
          [name, '--help'],
          [name, '-h'],
          ['help', name],
        ].map((argv) => run(argv)),
      );
      for (const { status, stdout } of texts) {
        assert.deepEqual([status, stdout], [0, texts[0]?.stdout]);
        assert.match(stdout, new RegExp(`^Usage: hmac-file-server ${name}\\b`));
      }
    }
  });

  it('fits a terminal of 100 columns', async () => {
    for (const argv of [['help'], ['sign', '--help']]) {
      for (const line of (await run(argv)).stdout.split('\n')) assert.ok(line.length <= 100, line);
    }
  });

  it('names the version alone for --version', async () => {
    assert.match((await run(['--version'])).stdout, /^\d+\.\d+\.\d+\S*\n$/);
  });
});

describe('check-config', () => {
  it('names every mistake and ends with 78', async () => {
    await inFolderAsync(async (cwd) => {
      writeFileSync(join(cwd, 'config.toml'), 'MaxVersion = 5\nMetricsEnabled = "true"\n');
      const { status, stdout, stderr } = await run(['check-config'], { cwd });
      assert.deepEqual([status, stdout], [78, '']);
      assert.equal(
        stderr,
        `config.toml:1:1: unknown key "MaxVersion" - did you mean "MaxVersions"?
config.toml:2:18: MetricsEnabled = "true" is a string; write true without quotes
config.toml: StoreDir is not set; write the folder that holds the files, such as StoreDir = "./uploads"
3 mistakes in the configuration
`,
      );
    });
  });

  it('prints the settings in effect without secrets, and the warnings', async () => {
    await inFolderAsync(async (cwd) => {
      writeFileSync(join(cwd, 'x.toml'), `${MINIMAL}MaxVersions = 3\n`, { mode: 0o600 });
      const environment = { HMAC_FILE_SERVER_FILETTL: '30d' };
      const { status, stdout, stderr } = await run(['check-config', '--config', 'x.toml'], { cwd, environment });
      assert.equal(status, 0);
      assert.match(stdout, /^FileTTL = "30d" +# HMAC_FILE_SERVER_FILETTL: 2592000 seconds$/m);
      assert.match(stdout, /^Secret = \(set, 25 bytes\) +# x\.toml:2:10$/m);
      assert.doesNotMatch(stdout, /a-secret/);
      assert.match(
        stderr,
        /^warning: MaxVersions has no effect without EnableVersioning = true\nx\.toml: no mistakes\n$/,
      );
      assert.match(stderr, /x\.toml: no mistakes\n$/);
    });
  });

  it('says what becomes of a missing secret, and creates nothing', async () => {
    await inFolderAsync(async (cwd) => {
      writeFileSync(join(cwd, 'config.toml'), 'StoreDir = "uploads"\n');
      const path = join(cwd, 'uploads.secret');
      const before = await run(['check-config'], { cwd });
      assert.ok(before.stdout.endsWith(`\nSecret: the first start makes one and keeps it in ${path}\n`));
      assert.ok(!existsSync(path));
      writeFileSync(path, 'made-at-an-earlier-start\n', { mode: 0o600 });
      const after = await run(['check-config'], { cwd });
      assert.ok(after.stdout.endsWith(`\nSecret: generated earlier, in ${path} (set, 24 bytes)\n`));
      writeFileSync(path, '');
      const broken = await run(['check-config'], { cwd });
      assert.equal(broken.status, 78);
      assert.match(broken.stderr, /holds no secret/);
    });
  });
});

describe('init', () => {
  it('writes a file with which the server starts', async () => {
    await inFolderAsync(async (cwd) => {
      const { status, stdout } = await run(['init'], { cwd });
      assert.equal(status, 0);
      assert.equal(
        stdout,
        `wrote ${join(cwd, 'config.toml')} with a fresh secret\nstart the server: hmac-file-server serve\n`,
      );
      assert.equal((await run(['check-config'], { cwd })).status, 0);
    });
  });

  it('ends with 1 and changes nothing when the file is there', async () => {
    await inFolderAsync(async (cwd) => {
      mkdirSync(join(cwd, 'etc'));
      writeFileSync(join(cwd, 'etc', 'x.toml'), 'mine');
      const { status, stderr } = await run(['init', 'etc/x.toml'], { cwd });
      assert.deepEqual([status, stderr], [1, 'etc/x.toml is there already and stays as it is; name another file\n']);
      assert.equal(readFileSync(join(cwd, 'etc', 'x.toml'), 'utf8'), 'mine');
    });
  });
});
