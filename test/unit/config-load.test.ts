/** Reading a configuration: the file as a whole, types, the environment, and every mistake at once. */

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { formatProblem } from '../../src/main/config/config-problem.ts';
import { loadConfig } from '../../src/main/config/load-config.ts';
import { configOf, HOST, inFolder, MINIMAL, problemsOf } from '../support/config-fixture.ts';

describe('the configuration file', () => {
  it('is read whatever the case of its keys, its line ends and a byte order mark', () => {
    const text = '\ufeffSTOREDIR = "/srv/store"\r\nsecret = "a-secret-of-24-characters"\r\nMaxversions = 7\r\n';
    assert.equal(configOf(text).maxVersions, 7);
    assert.deepEqual(problemsOf(`${text}bad = 1\r\n`), [
      'config.toml:4:1: unknown key "bad"; docs/configuration.md lists the keys',
    ]);
  });

  it('is refused when one key stands there twice, in any spelling', () => {
    assert.deepEqual(problemsOf(`${MINIMAL}MaxVersions = 1\nmaxversions = 1\n`), [
      'config.toml:4:1: MaxVersions is set twice; it stands in line 3 already',
    ]);
  });

  it('is named with the path that was tried when it is missing', () => {
    inFolder((cwd) => {
      const loaded = loadConfig({ file: 'sub/none.toml', environment: {}, cwd, host: HOST });
      assert.ok(!loaded.ok);
      assert.deepEqual(loaded.problems.map(formatProblem), [
        `sub/none.toml: cannot read the configuration: there is no such file (tried ${join(cwd, 'sub/none.toml')}); "hmac-file-server init" writes one`,
      ]);
    });
  });

  it('is refused with a reason when it is a folder, too large or not UTF-8', () => {
    inFolder((cwd) => {
      mkdirSync(join(cwd, 'folder'));
      const loaded = loadConfig({ file: 'folder', environment: {}, cwd, host: HOST });
      assert.match(loaded.ok ? '' : (loaded.problems[0]?.message ?? ''), /it is a folder/);
    });
    assert.match(problemsOf(Buffer.alloc(1_200_000, '#'))[0] ?? '', /larger than 1048576 bytes/);
    assert.match(problemsOf(Buffer.from('StoreDir = "x"\n# \xe4\n', 'latin1'))[0] ?? '', /not valid UTF-8 \(line 2\)/);
    assert.match(problemsOf(Buffer.from('\ufeffStoreDir = "x"', 'utf16le'))[0] ?? '', /it is UTF-16/);
  });

  it('creates nothing', () => {
    inFolder((cwd) => {
      const text = 'StoreDir = "uploads"\nLogFile = "logs/server.log"\n';
      writeFileSync(join(cwd, 'config.toml'), text);
      const loaded = loadConfig({ file: 'config.toml', environment: {}, cwd, host: HOST });
      assert.ok(loaded.ok);
      assert.deepEqual(readdirSync(cwd), ['config.toml']);
    });
  });

  it('resolves relative paths against the working directory', () => {
    inFolder((cwd) => {
      writeFileSync(join(cwd, 'config.toml'), 'StoreDir = "./uploads/"\nLogFile = "../x.log"\n');
      const loaded = loadConfig({ file: 'config.toml', environment: {}, cwd, host: HOST });
      assert.ok(loaded.ok);
      assert.equal(loaded.config.storeDir, join(cwd, 'uploads'));
      assert.equal(loaded.config.logFile, join(cwd, '..', 'x.log'));
    });
  });
});

describe('a loaded configuration', () => {
  it('cannot be changed', () => {
    const config = configOf(`${MINIMAL}PreviousSecrets = ["one-previous-secret"]\n`);
    assert.ok(Object.isFrozen(config) && Object.isFrozen(config.listen) && Object.isFrozen(config.previousSecrets));
    assert.ok(Object.isFrozen(config.warnings));
  });
});

describe('mistakes', () => {
  it('are all named at once, in the order of the file, without any secret', () => {
    const text = `MaxVersion = 5
MetricsEnabled = "true"
Secret = 12345678
ListenPort = 8080 8081
FileTTL = 30
Secrett = "HUSH"

ChunkSize = 1
[server]
listenport = ":80"
`;
    assert.deepEqual(problemsOf(text, { HMAC_FILE_SERVER_MAXVERSIONS: 'many' }), [
      'config.toml:1:1: unknown key "MaxVersion" - did you mean "MaxVersions"?',
      'config.toml:2:18: MetricsEnabled = "true" is a string; write true without quotes',
      'config.toml:3:10: Secret is an integer; write it in quotes',
      'config.toml:4:14: ListenPort: text needs quotes: ListenPort = "..."',
      'config.toml:5:11: FileTTL = 30 is an integer without a unit; write a duration in quotes: "30d" or "12h"',
      'config.toml:6:1: unknown key "Secrett" - did you mean "Secret"?',
      'config.toml:8:13: ChunkSize = 1 is below 4096, the smallest number of bytes',
      'config.toml:9:1: table [server]: this is the sectioned format of HMAC File Server 3.x; here every setting stands in one flat list',
      'config.toml:10:1: "server.listenport": write ListenPort = ... above the first table',
      'HMAC_FILE_SERVER_MAXVERSIONS: "many" is no whole number; write digits only',
    ]);
  });

  it('do not make a key missing that a broken line may have meant', () => {
    assert.deepEqual(problemsOf('StoreDir = /srv/store\n'), [
      'config.toml:1:12: StoreDir: text needs quotes: StoreDir = "..."',
    ]);
  });

  it('include keys that JavaScript objects have, without harm', () => {
    const problems = problemsOf(`${MINIMAL}__proto__ = 1\nconstructor = 2\ntoString = 3\n"" = 4\n`);
    assert.equal(problems.length, 4);
    for (const problem of problems) assert.match(problem, /unknown key/);
  });
});

describe('types', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['MetricsEnabled = "True"', 'MetricsEnabled = "True" is a string; write true without quotes'],
    ['MetricsEnabled = "yes"', 'MetricsEnabled = "yes" is a string; write true or false without quotes'],
    ['MetricsEnabled = 1', 'MetricsEnabled = 1 is an integer; write true'],
    ['MetricsEnabled = 0', 'MetricsEnabled = 0 is an integer; write false'],
    ['MetricsEnabled = [true]', 'MetricsEnabled = [true] is an array; write true or false'],
    ['MaxVersions = "5"', 'MaxVersions = "5" is a string; write 5 without quotes'],
    ['MaxVersions = true', 'MaxVersions = true is a boolean; write a whole number of versions'],
    ['MaxVersions = 5.0', 'MaxVersions = 5.0 is a number with a point or an exponent; write 5'],
    ['MaxVersions = -1', 'MaxVersions = -1 is below 0, the smallest number of versions'],
    ['MaxUploadSize = 1e9', 'MaxUploadSize = 1e9 is a number with a point or an exponent; write 1000000000'],
    ['MaxUploadSize = 99999999999999999999', 'MaxUploadSize = 99999999999999999999 is above 9007199254740991'],
    ['ChunkSize = "64MB"', 'ChunkSize = "64MB" is a string; write the number of bytes without quotes: 67108864'],
    ['ChunkSize = "big"', 'ChunkSize = "big" is a string; write a number of bytes without quotes'],
    ['ChunkSize = 2026-01-01', 'ChunkSize = 2026-01-01 is a date; write a whole number of bytes'],
    ['StoreDir = 5', 'StoreDir = 5 is an integer; write it in quotes'],
    ['StoreDir = ["a"]', 'StoreDir = ["a"] is an array; write one text in quotes'],
    ['LogLevel = true', 'LogLevel = true is a boolean; write it in quotes'],
    ['AllowedExtensions = ".txt"', 'AllowedExtensions = ".txt" is a string; write an array: ["...", "..."]'],
    ['AllowedExtensions = [1]', 'AllowedExtensions: entry 1 is an integer; write it in quotes'],
    ['FileTTL = true', 'FileTTL = true is a boolean; write a duration in quotes: "30d"'],
    ['ListenPort = false', 'ListenPort = false is a boolean; write it in quotes'],
    ['ListenPort = 70000', 'ListenPort = 70000 is no port; ports are 1 to 65535, and 0 for any free one'],
  ];
  for (const [line, message] of rows) {
    it(`are checked: ${line}`, () => {
      const base = line.startsWith('StoreDir') ? '\n' : 'StoreDir = "/srv/store"\n';
      const column = line.indexOf('=') + 3;
      const place = message.startsWith(line.slice(0, line.indexOf('=') - 1)) ? `config.toml:2:${column}: ` : '';
      assert.deepEqual(problemsOf(`${base}${line}\n`), [`${place}${message}`]);
    });
  }

  it('of secrets are named without the value', () => {
    for (const value of ['12345678', '["HUSH-12345678"]', '2026-01-01', '{ a = 12345678 }']) {
      const [problem = ''] = problemsOf(`StoreDir = "/srv/store"\nSecret = ${value}\n`);
      assert.match(problem, /^config\.toml:2:10: Secret is an? /);
      assert.doesNotMatch(problem, /12345678|HUSH|2026/);
    }
  });
});

describe('the environment', () => {
  it('beats the file, for every type', () => {
    const config = configOf(`${MINIMAL}ListenPort = ":1"\nMaxVersions = 1\nMetricsEnabled = false\n`, {
      HMAC_FILE_SERVER_LISTENPORT: '8081',
      HMAC_FILE_SERVER_MAXVERSIONS: '1_000',
      HMAC_FILE_SERVER_METRICSENABLED: 'true',
      HMAC_FILE_SERVER_ALLOWEDEXTENSIONS: '.TXT, pdf',
      HMAC_FILE_SERVER_SECRET: 'a-secret-of-the-environment',
    });
    assert.deepEqual(config.listen, { kind: 'tcp', host: '::', port: 8081 });
    assert.equal(config.maxVersions, 1_000);
    assert.deepEqual(config.metrics, { host: '127.0.0.1', port: 9090 });
    assert.deepEqual([...(config.allowedExtensions ?? [])], ['txt', 'pdf']);
    assert.deepEqual([config.secret, config.secretSource], ['a-secret-of-the-environment', 'environment']);
  });

  it('takes arrays in the notation of TOML, for entries with commas or none at all', () => {
    const secrets = (text: string): readonly string[] =>
      configOf(MINIMAL, { HMAC_FILE_SERVER_PREVIOUSSECRETS: text }).previousSecrets;
    assert.deepEqual(secrets('["first, with a comma", "the second secret"]'), [
      'first, with a comma',
      'the second secret',
    ]);
    assert.deepEqual(secrets(''), []);
    assert.deepEqual(secrets('[]'), []);
  });

  it('replaces a value of the file that would be refused', () => {
    assert.equal(
      configOf('StoreDir = "/srv/store"\nMaxVersions = -1\n', { HMAC_FILE_SERVER_MAXVERSIONS: '2' }).maxVersions,
      2,
    );
  });

  const rows: readonly (readonly [string, string, string])[] = [
    ['METRICSENABLED', 'yes', '"yes" is no boolean; write true or false'],
    ['MAXVERSIONS', '1.5', '"1.5" is no whole number; write digits only'],
    ['MAXVERSIONS', '', '"" is no whole number; write digits only'],
    ['MAXVERSIONS', '-1', '-1 is below 0, the smallest number of versions'],
    ['MAXVERSIONS', '1\nSecret = 2', '"1\\nSecret = 2" is no whole number; write digits only'],
    ['PREVIOUSSECRETS', '["x"', 'is no array; write ["...", "..."] or a, b'],
    ['SECRET', '', 'Secret is empty; remove the line, and one is generated, or write one of 16 bytes or more'],
    ['MAXVERSION', '1', 'no setting has this name - did you mean HMAC_FILE_SERVER_MAXVERSIONS?'],
    ['MAX_VERSIONS', '1', 'no setting has this name - did you mean HMAC_FILE_SERVER_MAXVERSIONS?'],
    ['WHATEVER', '1', 'no setting has this name; unset it'],
  ];
  for (const [name, value, message] of rows) {
    it(`is checked: ${name}=${JSON.stringify(value)}`, () => {
      const problems = problemsOf(MINIMAL, { [`HMAC_FILE_SERVER_${name}`]: value });
      assert.deepEqual(
        problems.map((text) => text.replace(/^HMAC_FILE_SERVER_/, '').replace(/ has$/, '')),
        [`${name}: ${message}`],
      );
    });
  }

  it('may hold what Kubernetes sets for a service of our name', () => {
    const environment = {
      HMAC_FILE_SERVER_SERVICE_HOST: '10.0.0.1',
      HMAC_FILE_SERVER_SERVICE_PORT: '8080',
      HMAC_FILE_SERVER_SERVICE_PORT_HTTP: '8080',
      HMAC_FILE_SERVER_PORT: 'tcp://10.0.0.1:8080',
      HMAC_FILE_SERVER_PORT_8080_TCP: 'tcp://10.0.0.1:8080',
      HMAC_FILE_SERVER_PORT_8080_TCP_ADDR: '10.0.0.1',
      PATH: '/usr/bin',
    };
    assert.deepEqual(problemsOf(MINIMAL, environment), []);
  });
});

describe('the secret file of the environment', () => {
  function loadWith(content: string | null, environment = {}): ReturnType<typeof loadConfig> {
    return inFolder((cwd) => {
      writeFileSync(join(cwd, 'config.toml'), MINIMAL);
      if (content !== null) writeFileSync(join(cwd, 'credential'), content);
      const variables = { HMAC_FILE_SERVER_SECRET_FILE: 'credential', ...environment };
      return loadConfig({ file: 'config.toml', environment: variables, cwd, host: HOST });
    });
  }

  it('beats the file, and loses one line end, nothing else', () => {
    for (const [content, secret] of [
      ['the-secret-of-a-file', 'the-secret-of-a-file'],
      ['the-secret-of-a-file\n', 'the-secret-of-a-file'],
      ['the-secret-of-a-file\r\n', 'the-secret-of-a-file'],
      [' two-line-ends \n\n', ' two-line-ends \n'],
    ] as const) {
      const loaded = loadWith(content);
      assert.ok(loaded.ok);
      assert.deepEqual([loaded.config.secret, loaded.config.secretSource], [secret, 'secret-file']);
    }
  });

  const refused: readonly (readonly [string, string | null, Record<string, string>, RegExp])[] = [
    ['missing', null, {}, /^HMAC_FILE_SERVER_SECRET_FILE: cannot read \S+credential: there is no such file$/],
    ['empty', '\n', {}, /^HMAC_FILE_SERVER_SECRET_FILE: Secret is empty/],
    ['blank', ' \t\n', {}, /Secret consists of white space only/],
    ['binary', 'a\0b', {}, /Secret contains a NUL character/],
    ['beside another', 'x'.repeat(20), { HMAC_FILE_SERVER_SECRET: 'HUSH' }, /HMAC_FILE_SERVER_SECRET is set as well/],
    ['unnamed', 'x', { HMAC_FILE_SERVER_SECRET_FILE: '' }, /is empty; name a file, or unset it/],
  ];
  for (const [what, content, environment, message] of refused) {
    it(`is refused when it is ${what}`, () => {
      const loaded = loadWith(content, environment);
      assert.ok(!loaded.ok);
      assert.match(loaded.problems.map(formatProblem).join('\n'), message);
    });
  }
});
