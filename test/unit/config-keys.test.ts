/** Key by key: which forms are taken, what they mean, and what is said about the others. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { complete, configOf, HOST, problemsOf, table, withLines } from '../support/config-fixture.ts';

const STORE = 'StoreDir = "/srv/store"\n';

const refuses = (line: string, message: RegExp): void => {
  assert.match(problemsOf(complete(line)).join('\n'), message);
  assert.equal(problemsOf(complete(line)).length, 1);
};

table(
  'ListenPort and UnixSocket are understood',
  [
    ['', { kind: 'tcp', host: '::', port: 8080 }],
    ['ListenPort = ":8081"', { kind: 'tcp', host: '::', port: 8081 }],
    ['ListenPort = "8081"', { kind: 'tcp', host: '::', port: 8081 }],
    ['ListenPort = 8081', { kind: 'tcp', host: '::', port: 8081 }],
    ['ListenPort = "127.0.0.1:8080"', { kind: 'tcp', host: '127.0.0.1', port: 8080 }],
    ['ListenPort = "[::1]:8080"', { kind: 'tcp', host: '::1', port: 8080 }],
    ['ListenPort = "localhost:8080"', { kind: 'tcp', host: 'localhost', port: 8080 }],
    ['ListenPort = 0', { kind: 'tcp', host: '::', port: 0 }],
    ['ListenPort = "/run/x.sock"\nUnixSocket = true', { kind: 'unix', path: '/run/x.sock' }],
    ['ListenPort = "/run/x"\nUnixSocket = true', { kind: 'unix', path: '/run/x' }],
  ],
  (line, expected) => assert.deepEqual(withLines(line).listen, expected),
);

table(
  'ListenPort and UnixSocket are refused',
  [
    ['ListenPort = ":http"', /config\.toml:1:14: ListenPort = ":http" has the port "http"; write its number/],
    ['ListenPort = ""', /is empty; write a port/],
    ['ListenPort = "/run/x.sock"', /is a path; write a port, or set UnixSocket = true/],
    ['ListenPort = "x.sock"', /is a path/],
    ['ListenPort = ":8080"\nUnixSocket = true', /is no path, as UnixSocket = true needs/],
    ['UnixSocket = true', /config\.toml:1:14: ListenPort = ":8080" is no path/],
    ['ListenPort = "/run/"\nUnixSocket = true', /is a folder/],
    [`ListenPort = "/run/${'x'.repeat(103)}"\nUnixSocket = true`, /is 108 bytes long as a whole path; .* at most 107/],
    [`ListenPort = "/run/${'\u00e9'.repeat(52)}"\nUnixSocket = true`, /is 109 bytes long/],
    ['ListenPort = "http://localhost"', /is a URL/],
    ['ListenPort = "a\\u0000b"', /contains a NUL character/],
  ],
  refuses,
);

table(
  'MetricsPort is understood',
  [
    ['MetricsEnabled = true', { host: '127.0.0.1', port: 9090 }],
    ['MetricsEnabled = true\nMetricsPort = ":9091"', { host: '::', port: 9091 }],
    ['MetricsEnabled = true\nMetricsPort = "9091"', { host: '127.0.0.1', port: 9091 }],
    ['MetricsEnabled = true\nMetricsPort = 9091', { host: '127.0.0.1', port: 9091 }],
    ['MetricsEnabled = true\nMetricsPort = "10.0.0.1:9091"', { host: '10.0.0.1', port: 9091 }],
    ['MetricsEnabled = true\nMetricsPort = "[::1]:9091"', { host: '::1', port: 9091 }],
    ['MetricsEnabled = false\nMetricsPort = ":9091"', null],
    ['MetricsPort = ":8080"', null],
  ],
  (line, expected) => assert.deepEqual(withLines(line).metrics, expected),
);

table(
  'MetricsPort is refused',
  [
    ['MetricsPort = ""', /is empty/],
    ['MetricsPort = "/run/x.sock"', /has no port/],
    ['MetricsEnabled = true\nMetricsPort = ":8080"', /MetricsPort and ListenPort are both port 8080/],
    ['MetricsEnabled = true\nMetricsPort = 8080', /both port 8080/],
    ['MetricsEnabled = true\nListenPort = ":9090"', /both port 9090/],
  ],
  refuses,
);

table(
  'secrets are refused',
  [
    ['Secret = ""', /config\.toml:1:10: Secret is empty/],
    ['Secret = " \\t"', /Secret consists of white space only/],
    ['Secret = "a\\u0000b"', /Secret contains a NUL character/],
    ['PreviousSecrets = ["a", "b", "c", "d", "e"]', /PreviousSecrets has 5 entries; at most 4/],
    ['PreviousSecrets = ["a", " "]', /PreviousSecrets: entry 2 is empty/],
    ['DeleteSecret = "  "', /DeleteSecret consists of white space only/],
    ['DeleteSecret = "a\\u0000"', /DeleteSecret contains a NUL character/],
  ],
  refuses,
);

describe('Secret', () => {
  it('is taken byte by byte: not trimmed, not decoded', () => {
    assert.equal(withLines('Secret = "  c2VjcmV0\\nsecret%20 "').secret, '  c2VjcmV0\nsecret%20 ');
  });

  it('is null when nobody gives one, to be generated', () => {
    const config = configOf(STORE);
    assert.deepEqual([config.secret, config.secretSource], [null, 'generated']);
  });
});

table(
  'paths are refused',
  [
    ['StoreDir = ""', /StoreDir = "" is empty/],
    ['StoreDir = "~/uploads"', /begins with ~/],
    ['StoreDir = "C:\\new"', /contains a control character/],
    ['StoreDir = "/"', /is the root of the file system/],
    ['StoreDir = "."', /contains config\.toml, so everybody could read it/],
    ['StoreDir = ".."', /contains config\.toml/],
    ['LogFile = "/srv/store/server.log"', /lies inside StoreDir/],
    ['LogFile = "/srv/store"', /lies inside StoreDir/],
  ],
  refuses,
);

describe('StoreDir', () => {
  it('is required', () => {
    assert.deepEqual(problemsOf('Secret = "a-secret-of-24-characters"\n'), [
      'config.toml: StoreDir is not set; write the folder that holds the files, such as StoreDir = "./uploads"',
    ]);
  });

  it('may have a neighbour with the same beginning', () => {
    assert.equal(withLines('LogFile = "/srv/store.log"').logFile, '/srv/store.log');
  });
});

table(
  'UploadSubDir is understood',
  [
    ['', '/'],
    ['UploadSubDir = ""', '/'],
    ['UploadSubDir = "/"', '/'],
    ['UploadSubDir = "files"', '/files/'],
    ['UploadSubDir = "/files"', '/files/'],
    ['UploadSubDir = "files/"', '/files/'],
    ['UploadSubDir = "//a///b//"', '/a/b/'],
    ['UploadSubDir = "a/.hfs"', '/a/.hfs/'],
    ['UploadSubDir = "..."', '/.../'],
    ['UploadSubDir = "a b/\u00fc"', '/a b/\u00fc/'],
  ],
  (line, expected) => assert.equal(withLines(line).basePath, expected),
);

table(
  'UploadSubDir is refused',
  [
    ...['.', '..', 'a/../b', './a', '/..'].map((path): readonly [string, RegExp] => [
      `UploadSubDir = "${path}"`,
      /contains the segment "\." or "\.\."/,
    ]),
    ...['a%20b', 'a?b', 'a#b'].map((path): readonly [string, RegExp] => [
      `UploadSubDir = "${path}"`,
      /contains "[%?#]"; write plain names/,
    ]),
    ['UploadSubDir = "a\\nb"', /contains a control character/],
    ['UploadSubDir = ".hfs"', /begins with "\.hfs"/],
    ['UploadSubDir = "/.HFS/x"', /begins with "\.hfs"/],
  ],
  refuses,
);

table(
  'LogLevel is understood in any case',
  [
    ['', 'info'],
    ['LogLevel = "WARN"', 'warning'],
    ['LogLevel = "Warning"', 'warning'],
    ...['panic', 'fatal', 'error', 'info', 'debug', 'trace'].map((level): readonly [string, string] => [
      `LogLevel = "${level.toUpperCase()}"`,
      level,
    ]),
  ],
  (line, expected) => assert.equal(withLines(line).logLevel, expected),
);

table(
  'words are refused with the list',
  [
    ['LogLevel = "inof"', /LogLevel = "inof" is not one of "panic", .* - did you mean "info"\?/],
    ['LogLevel = ""', /is not one of/],
    ['SignedPath = "Relative"', /is not one of "relative", "full", "either" - did you mean "relative"\?/],
    ['Durability = "fast"', /is not one of "full", "file", "none"/],
  ],
  refuses,
);

table(
  'FileTTL and ShutdownTimeout are understood',
  [
    ['', [null, 30_000]],
    ['FileTTL = ""', [null, 30_000]],
    ['FileTTL = "0"', [null, 30_000]],
    ['FileTTL = "0d"', [null, 30_000]],
    ['FileTTL = "1y30d12h"\nShutdownTimeout = "1m"', [34_171_200, 60_000]],
    ['ShutdownTimeout = "0"', [null, 0]],
  ],
  (line, expected) => {
    const { fileTtlSeconds, shutdownTimeoutMs } = withLines(line);
    assert.deepEqual([fileTtlSeconds, shutdownTimeoutMs], expected);
  },
);

table(
  'FileTTL and ShutdownTimeout are refused',
  [
    ['FileTTL = "30"', /FileTTL = "30" has no unit: did you mean "30d"\?/],
    ['FileTTL = 30', /is an integer without a unit/],
    ['FileTTL = "10ms"', /unknown unit "ms"/],
    ['ShutdownTimeout = ""', /is empty; write "0" to stop at once/],
    ['ShutdownTimeout = "2d"', /is longer than this setting allows/],
  ],
  refuses,
);

table(
  'numbers have limits',
  [
    ['MaxVersions = 10001', /is above 10000/],
    ['ChunkSize = 4095', /is below 4096/],
    ['ChunkSize = 67108865', /is above 67108864/],
    ['MaxUploadSize = -1', /is below 0/],
    ['MinFreeSpace = -1', /is below 0/],
    ['MinFreeInodes = -1', /is below 0/],
    ['MaxConcurrentUploads = 0', /is below 1/],
    ['MaxConnections = 0', /is below 1/],
    ['UploadLanes = 65', /is above 64/],
    ['Listeners = 0', /is below 1/],
    ['Listeners = 65', /is above 64/],
    ['Listeners = "2"', /is a string/],
    ['DownloadLanes = -1', /is below 0/],
  ],
  refuses,
);

table(
  'PublicOrigin',
  [
    ['', null],
    ['PublicOrigin = ""', null],
    ['PublicOrigin = "https://Files.example.org:443/"', 'https://files.example.org'],
    ['PublicOrigin = "http://localhost:8080"', 'http://localhost:8080'],
  ],
  (line, expected) => assert.equal(withLines(line).publicOrigin, expected),
);

table(
  'PublicOrigin is refused',
  [
    ['PublicOrigin = "files.example.org"', /is no URL/],
    ['PublicOrigin = "ftp://files.example.org"', /neither https:\/\/ nor http:\/\//],
    [
      'PublicOrigin = "https://files.example.org/files"',
      /write "https:\/\/files\.example\.org" \(the path is UploadSubDir\)/,
    ],
    ['PublicOrigin = "https://a:b@files.example.org"', /holds a user name/],
  ],
  refuses,
);

table(
  'AllowedExtensions',
  [
    ['', null],
    ['AllowedExtensions = []', null],
    ['AllowedExtensions = [".TXT", "pdf", ".txt"]', ['txt', 'pdf']],
    ['AllowedExtensions = ["", "."]', ['']],
  ],
  (line, expected) => {
    const { allowedExtensions } = withLines(line);
    assert.deepEqual(allowedExtensions === null ? null : [...allowedExtensions], expected);
  },
);

table(
  'AllowedExtensions is refused',
  [
    [
      'AllowedExtensions = ["*"]',
      /AllowedExtensions: "\*" is no extension; write it as "\.txt" or "txt", and \[\] to allow all/,
    ],
    ['AllowedExtensions = ["*.txt"]', /is no extension/],
    ['AllowedExtensions = ["a/b"]', /is no extension/],
    ['AllowedExtensions = [" txt"]', /is no extension/],
  ],
  refuses,
);

describe('values that mean something else', () => {
  it('are null where a number stands for none', () => {
    assert.equal(withLines('MaxUploadSize = 0').maxUploadBytes, null);
    assert.equal(withLines('MaxUploadSize = 5').maxUploadBytes, 5);
    assert.equal(withLines('DeleteSecret = ""').deleteSecret, null);
    assert.equal(withLines('DeleteSecret = "delete-me"').deleteSecret, 'delete-me');
  });

  it('are the built-in chunk size with ChunkingEnabled = false', () => {
    assert.equal(withLines('ChunkSize = 4096').chunkBytes, 4_096);
    assert.equal(withLines('ChunkSize = 4096\nChunkingEnabled = false').chunkBytes, 1_048_576);
  });

  it('are the automatic numbers of lanes, from the cores', () => {
    const { uploadLanes, downloadLanes } = withLines('');
    assert.deepEqual([HOST.cores, uploadLanes, downloadLanes], [4, 3, 2]);
    assert.equal(withLines('UploadLanes = 7').uploadLanes, 7);
  });

  it('are enough lanes for every listener, and no more than the cores need', () => {
    const lanesOf = (lines: string): readonly number[] => {
      const { listeners, uploadLanes, downloadLanes } = withLines(lines);
      return [listeners, uploadLanes, downloadLanes];
    };
    assert.deepEqual(lanesOf(''), [1, 3, 2]);
    assert.deepEqual(lanesOf('Listeners = 2'), [2, 3, 2]);
    assert.deepEqual(lanesOf('Listeners = 3'), [3, 3, 3]);
    assert.deepEqual(lanesOf('Listeners = 64'), [64, 64, 64]);
    assert.deepEqual(lanesOf('Listeners = 2\nUploadLanes = 1\nDownloadLanes = 9'), [2, 2, 9]);
  });

  it('are the defaults of the table', () => {
    const config = withLines('');
    assert.deepEqual(
      [config.minFreeBytes, config.minFreeInodes, config.maxConcurrentUploads, config.maxConnections],
      [268_435_456, 1_000, 4_096, 20_000],
    );
    assert.deepEqual([config.maxOpenUploads, config.maxOpenUploadsPerOwner], [10_000, 1_000]);
    assert.deepEqual(
      [config.durability, config.signedPath, config.typeByExtension, config.acceptV3, config.storeDigest],
      ['full', 'relative', true, true, false],
    );
    assert.deepEqual(
      [config.resumableUploadsEnabled, config.resumableDownloadsEnabled, config.enableVersioning, config.maxVersions],
      [true, true, false, 0],
    );
    assert.deepEqual(config.warnings, []);
  });
});
