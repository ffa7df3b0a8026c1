/** `sign`: the URLs are those of the issuers, byte for byte; everything else is refused or warned about. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bearerToken, readBearerJwt } from '../../src/main/auth/bearer-jwt.ts';
import { parseRequestTarget } from '../../src/main/auth/request-target.ts';
import { createSlotUrl } from '../../src/main/cli/slot-url.ts';
import type { FileKey } from '../../src/shared/files.ts';
import { type CommandRun, run } from '../support/command-run.ts';
import { inFolderAsync } from '../support/config-fixture.ts';
import { hmacHex, signDelete } from '../support/sign.ts';

const NOW_MS = 1_893_452_400_500;
const NOW_SECONDS = 1_893_452_400;

/** Runs `sign` with a configuration of these lines. */
async function sign(argv: readonly string[], lines: string): Promise<CommandRun> {
  return inFolderAsync(async (cwd) => {
    writeFileSync(join(cwd, 'config.toml'), `StoreDir = "uploads"\n${lines}`, { mode: 0o600 });
    return run(['sign', ...argv], { cwd, nowMs: NOW_MS });
  });
}

const UUID = '3f2b8c1e-7d4a-4b5e-9c0d-1a2b3c4d5e6f';
const EXAMPLE = 'Secret = "your-very-secure-secret-key"\nUploadSubDir = "files"\n';
const PROSODY = 'Secret = "s3cret-s3cret-s3cret"\nUploadSubDir = "upload"\n';

interface Vector {
  readonly issuer: string;
  readonly lines: string;
  readonly argv: readonly string[];
  readonly target: string;
}

const vectors: readonly Vector[] = [
  {
    issuer: 'Prosody 0.12.3, mod_http_upload_external, protocol v1',
    lines: PROSODY,
    argv: ['5768bbef-50fa-4433-9144-01e7492fd29b/my file.png', '1048576', '--protocol', 'v'],
    target:
      '/upload/5768bbef-50fa-4433-9144-01e7492fd29b/my%20file.png?v=c465bb38713ff91b8e4f33988dcc16a22ec7318042562b0646dee66fc7c2c739',
  },
  {
    issuer: 'Prosody 0.12.3, mod_http_upload_external, protocol v2',
    lines: PROSODY,
    argv: ['10bad0ad-e05d-4846-84a7-e6b945dca039/%41%2f%00.png', '1048576'],
    target:
      '/upload/10bad0ad-e05d-4846-84a7-e6b945dca039/%2541%252f%2500.png?v2=7c09bcf16c39c43bb56e832342e4a878ad49cc9d64bafa9344a2b0e37836d7f9',
  },
  {
    issuer: 'Metronome 4.0.5',
    lines: PROSODY,
    argv: ['11111111-2222-4333-8444-555555555555/my file.png', '12', '--protocol', 'token'],
    target:
      '/upload/11111111-2222-4333-8444-555555555555/my%20file.png?token=ba448f48e481d6479cb42072ac3db6924496586cecdf8a4fd67019285eb43349',
  },
  {
    issuer: 'the v2 rule with a named type',
    lines: EXAMPLE,
    argv: [`${UUID}/hello.txt`, '12', '--type', 'text/plain; charset=utf-8'],
    target: `/files/${UUID}/hello.txt?v2=4d7d76134268c6adcb970fa8ea425a3ef3756473e21e5a3c806652bdeb4f9c55`,
  },
  {
    issuer: 'the v2 rule with the type of the extension',
    lines: EXAMPLE,
    argv: [`${UUID}/hello.txt`, '12'],
    target: `/files/${UUID}/hello.txt?v2=13d930591434c55de71d181b9cd021f12b69d12314793c411dfd7e61b63f57df`,
  },
  {
    issuer: 'HMAC File Server 3.4.0, v3',
    lines: 'Secret = "your-very-secure-secret-key"\nUploadSubDir = "upload"\n',
    argv: [`${UUID}/Gr\u00fc\u00dfe \u65e5\u672c 100%.png`, '12', '--protocol', 'v3', '--expires', '1893456000'],
    target: `/upload/${UUID}/Gr%C3%BC%C3%9Fe%20%E6%97%A5%E6%9C%AC%20100%25.png?v3=75c00feb3dfd13a1e5103c3e88fad279d40fd3cfd6f0c95787bd1d07e2b30021&expires=1893456000`,
  },
  {
    issuer: 'HMAC File Server 3.4.0, v3 at the root, one hour from now',
    lines: 'Secret = "your-very-secure-secret-key"\n',
    argv: [`${UUID}/hello.txt`, '12', '--protocol', 'v3'],
    target: `/${UUID}/hello.txt?v3=999520515005f15c4bd684c2d8f6b4197d5d528be502d7b1e73f8f481a5f9291&expires=1893456000`,
  },
];

describe('sign', () => {
  for (const { issuer, lines, argv, target } of vectors) {
    it(`signs like ${issuer}`, async () => {
      const { status, stdout } = await sign(argv, lines);
      assert.deepEqual([status, stdout], [0, `http://localhost:8080${target}\n`]);
    });
  }

  it('signs the whole path with SignedPath = "full"', async () => {
    const relative = await sign([`upload/${UUID}/a.png`, '1', '--protocol', 'v'], 'Secret = "s3cret-s3cret-s3cret"\n');
    const full = await sign([`${UUID}/a.png`, '1', '--protocol', 'v'], `${PROSODY}SignedPath = "full"\n`);
    assert.equal(full.stdout, relative.stdout);
  });

  it('signs application/octet-stream with TypeByExtension = false, as clients without a type send', async () => {
    const implied = await sign(['a.txt', '1'], `${EXAMPLE}TypeByExtension = false\n`);
    const named = await sign(['a.txt', '1', '--type', 'application/octet-stream'], EXAMPLE);
    assert.equal(implied.stdout, named.stdout);
  });

  it('takes a duration for --expires', async () => {
    const { stdout } = await sign(['a', '1', '--protocol', 'v3', '--expires', '5m'], EXAMPLE);
    assert.match(stdout, new RegExp(`&expires=${NOW_SECONDS + 300}\n$`));
  });

  const origins: readonly (readonly [string, readonly string[], string])[] = [
    ['ListenPort = ":8081"\n', [], 'http://localhost:8081'],
    ['ListenPort = "127.0.0.1:8081"\n', [], 'http://127.0.0.1:8081'],
    ['ListenPort = "[::1]:8081"\n', [], 'http://[::1]:8081'],
    ['PublicOrigin = "https://files.example.org"\n', [], 'https://files.example.org'],
    ['PublicOrigin = "https://files.example.org"\n', ['--origin', 'https://other.example/'], 'https://other.example'],
    ['ListenPort = "/run/x.sock"\nUnixSocket = true\n', ['--origin', 'http://localhost'], 'http://localhost'],
  ];
  for (const [lines, argv, origin] of origins) {
    it(`writes ${origin} in front: ${lines.trimEnd()} ${argv.join(' ')}`, async () => {
      const { stdout } = await sign(['a', '1', ...argv], EXAMPLE + lines);
      assert.ok(stdout.startsWith(`${origin}/files/a?v2=`), stdout);
    });
  }

  it('reads the generated secret, and asks for a first start when there is none', async () => {
    await inFolderAsync(async (cwd) => {
      writeFileSync(join(cwd, 'config.toml'), 'StoreDir = "uploads"\n');
      const none = await run(['sign', 'a', '1'], { cwd });
      assert.equal(none.status, 1);
      assert.match(none.stderr, /there is no secret yet/);
      writeFileSync(join(cwd, 'uploads.secret'), 's3cret-s3cret-s3cret\n', { mode: 0o600 });
      const generated = await run(['sign', 'a', '1'], { cwd });
      const configured = await sign(['a', '1'], 'Secret = "s3cret-s3cret-s3cret"\n');
      assert.equal(generated.stdout, configured.stdout);
      writeFileSync(join(cwd, 'uploads.secret'), '');
      assert.equal((await run(['sign', 'a', '1'], { cwd })).status, 78);
    });
  });

  it('names the mistakes of a configuration and ends with 78', async () => {
    const { status, stderr } = await sign(['a', '1'], 'MaxVersion = 1\n');
    assert.equal(status, 78);
    assert.match(stderr, /did you mean "MaxVersions"/);
  });

  it('warns about what the server will refuse all the same', async () => {
    const { status, stderr } = await sign(
      ['a.exe', '11'],
      `${EXAMPLE}AllowedExtensions = ["txt"]\nMaxUploadSize = 10\n`,
    );
    assert.equal(status, 0);
    assert.match(stderr, /answered 403\n.*answered 413\n$/);
  });
});

describe('sign, beside URLs of uploads,', () => {
  it('signs a deletion like Metronome 4.0.5', async () => {
    const lines = 'Secret = "your-very-secure-secret-key"\nDeleteSecret = "del"\n';
    const { status, stdout } = await sign(['abc123/hello.txt', '--delete'], lines);
    const [, mac] = /\?token=(\w+)\n$/.exec(stdout) ?? [];
    assert.deepEqual([status, mac], [0, signDelete('your-very-secure-secret-key', 'abc123/hello.txt', 'del')]);
    const full = await sign(['a', '--delete'], `${lines}UploadSubDir = "files"\nSignedPath = "full"\n`);
    const whole = signDelete('your-very-secure-secret-key', 'files/a', 'del');
    assert.equal(full.stdout, `http://localhost:8080/files/a?token=${whole}\n`);
  });

  it('signs a token like mod_http_file_share, and prints the field to send with it', async () => {
    const argv = ['slot/Grüße 1.png', '12', '--protocol', 'jwt', '--owner', 'user@example.com', '--file-expires', '7d'];
    const { status, stdout } = await sign([...argv, '--expires', '5m'], PROSODY);
    const [url = '', field = ''] = stdout.split('\n');
    assert.deepEqual([status, url], [0, 'http://localhost:8080/upload/slot/Gr%C3%BC%C3%9Fe%201.png']);
    const key = 'slot/Grüße 1.png' as FileKey;
    const token = bearerToken(field.replace('Authorization: ', '')) ?? '';
    const read = readBearerJwt(token, { key, size: 12, nowSeconds: NOW_SECONDS });
    assert.ok(read.kind === 'token');
    assert.equal(read.mac, hmacHex('s3cret-s3cret-s3cret', read.signedText));
    assert.deepEqual(
      [read.usableUntilMs, read.expiresAtMs, read.owner, read.type],
      [(NOW_SECONDS + 300) * 1_000, (NOW_SECONDS + 604_800) * 1_000, 'user@example.com', 'image/png'],
    );
    const bare = await sign(['slot/a', '12', '--protocol', 'jwt'], PROSODY);
    const plain = readBearerJwt(bare.stdout.trimEnd().split(' ').at(-1) ?? '', {
      key: 'slot/a' as FileKey,
      size: 12,
      nowSeconds: NOW_SECONDS,
    });
    assert.ok(plain.kind === 'token' && plain.owner === null && plain.expiresAtMs === null);
  });
});

describe('sign refuses', () => {
  const rows: readonly (readonly [readonly string[], RegExp])[] = [
    [['/a', '1'], /PATH begins with a slash/],
    [['a//b', '1'], /PATH is no name/],
    [['a/../b', '1'], /PATH is no name/],
    [['a/', '1'], /PATH is no name/],
    [['', '1'], /PATH is no name/],
    [['a\nb', '1'], /PATH is no name/],
    [['.HFS/a', '1'], /PATH is no name/],
    [['.hfs/u/a', '1'], /PATH is no name/],
    [['a', '01'], /SIZE is the number of bytes/],
    [['a', '1k'], /SIZE is the number of bytes/],
    [['a', '12345678901234567890'], /SIZE is the number of bytes/],
    [['a', '1', '--protocol', 'v1'], /--protocol is one of v, v2, token, v3, jwt/],
    [['a', '1', '--expires', '5m'], /only --protocol v3 and jwt expire/],
    [['a'], /sign needs SIZE/],
    [['a', '1', '--owner', 'x@y'], /--owner belongs to --protocol jwt/],
    [['a/b', '1', '--file-expires', '7d'], /--file-expires belongs to --protocol jwt/],
    [['a/b', '9007199254740993', '--protocol', 'jwt'], /no SIZE of more than 2\^53 bytes/],
    [['a', '1', '--protocol', 'jwt'], /a token is for a PATH with a folder/],
    [['a/b', '1', '--protocol', 'jwt', '--file-expires', 'x'], /--file-expires is a duration/],
    [['a', '1', '--delete'], /a deletion has no SIZE/],
    [['a', '--delete', '--protocol', 'token'], /--protocol does not belong to --delete/],
    [['a', '--delete'], /DeleteSecret is not set/],
    [['a', '1', '--protocol', 'v3', '--expires', '5'], /--expires is a duration/],
    [['a', '1', '--protocol', 'v3', '--expires', '1000000000'], /--expires is not in the future/],
    [['a', '1', '--protocol', 'v3', '--expires', '0'], /--expires is not in the future/],
    [['a', '1', '--origin', 'files.example.org'], /--origin is no URL/],
  ];
  for (const [argv, message] of rows) {
    it(JSON.stringify(argv.join(' ')), async () => {
      const { status, stdout, stderr } = await sign(argv, EXAMPLE);
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, message);
    });
  }

  it('an origin that nobody knows, and v3 where it is off', async () => {
    assert.match((await sign(['a', '1'], `${EXAMPLE}ListenPort = 0\n`)).stderr, /give --origin URL/);
    assert.match(
      (await sign(['a', '1', '--protocol', 'v3'], `${EXAMPLE}AcceptV3 = false\n`)).stderr,
      /AcceptV3 = false/,
    );
  });
});

describe('the path of a signed URL', () => {
  it('is read by the server as the name that was signed, whatever the name', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', minLength: 1 }), { minLength: 1, maxLength: 3 }), (segments) => {
        const target = parseRequestTarget(`/${segments.map(encodeURIComponent).join('/')}`, '/');
        fc.pre(target.kind === 'file');
        const url = createSlotUrl({
          origin: 'http://localhost',
          config: { secret: 'x', basePath: '/files/', signedPath: 'relative' },
          key: target.key,
          sizeBytes: '1',
          type: '',
          protocol: 'v',
          expiresAtSeconds: 0,
        });
        const [path = ''] = url.slice('http://localhost'.length).split('?');
        assert.match(path, /^[A-Za-z0-9/%._~-]+$/);
        assert.deepEqual(parseRequestTarget(path, '/files/'), target);
      }),
    );
  });
});
