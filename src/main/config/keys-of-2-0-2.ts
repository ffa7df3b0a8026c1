/** The 17 keys of HMAC File Server v2.0.2, in the order of its manual, with what they mean here. */

import type { LogLevel } from './config.ts';
import { configKey } from './config-key.ts';
import { MAX_DURATION_SECONDS, parseDuration } from './duration.ts';
import { accepted, type Checked, describeType, type GivenValue, refused } from './given-value.ts';
import { type HostPort, parseHostPort } from './host-port.ts';
import { parseBasePath } from './url-path.ts';
import {
  andThen,
  type Check,
  checkBoolean,
  checkExtensions,
  checkPath,
  checkSecret,
  checkText,
  integerBetween,
  oneOf,
} from './value-checks.ts';

const LOOPBACK = '127.0.0.1';

/** Ports may be written as integers; everything behind the check sees text. */
const checkAddress: Check<string> = (given) => {
  if (given.type !== 'integer') return checkText(given);
  const isPort = given.value >= 0 && given.value <= 65_535;
  return isPort ? accepted(String(given.value)) : refused('is no port; ports are 1 to 65535, and 0 for any free one');
};

const checkMetricsAddress: Check<HostPort> = andThen(checkAddress, (text) => parseHostPort(text, LOOPBACK));

const checkStoreDir: Check<string> = andThen(checkPath, (path) =>
  path === '' ? refused('is empty; write the folder that holds the files') : accepted(path),
);

const levelWord = oneOf('panic', 'fatal', 'error', 'warn', 'warning', 'info', 'debug', 'trace');

const checkLogLevel: Check<LogLevel> = (given) => {
  const lowered: GivenValue = given.type === 'string' ? { type: 'string', value: given.value.toLowerCase() } : given;
  const level = levelWord(lowered);
  if (!level.ok) return level;
  return accepted(level.value === 'warn' ? 'warning' : level.value);
};

/** Seconds up to a limit. A TOML integer has no unit, so it is refused rather than guessed. */
export function durationUpTo(maxSeconds: number): Check<number> {
  const limit = (seconds: number): Checked<number> =>
    seconds > maxSeconds ? refused('is longer than this setting allows') : accepted(seconds);
  return (given) => {
    if (given.type === 'integer') {
      return refused(`is an integer without a unit; write a duration in quotes: "${Math.abs(given.value)}d" or "12h"`);
    }
    if (given.type !== 'string') return refused(`is ${describeType(given)}; write a duration in quotes: "30d"`);
    const seconds = parseDuration(given.value);
    return seconds.ok ? limit(seconds.value) : seconds;
  };
}

export const keysOf202 = {
  ListenPort: configKey({
    type: 'string',
    topic: 'Listening',
    unit: 'address',
    default: { type: 'string', value: ':8080' },
    accepts:
      '`":8080"`, `"8080"` or `8080` (all interfaces, IPv4 and IPv6), `"127.0.0.1:8080"`, `"[::1]:8080"`, `"localhost:8080"`; with `UnixSocket = true` a path',
    summary: 'Where clients connect: host and port, a port alone, or the path of a unix socket.',
    notes:
      'Port 0 takes any free port, which the log names. A host name is resolved once, at start. The path of a unix socket contains a `/` or ends in `.sock`, and has at most 107 bytes.',
    check: checkAddress,
  }),
  UnixSocket: configKey({
    type: 'boolean',
    topic: 'Listening',
    default: { type: 'boolean', value: false },
    accepts: '`true`, `false`',
    summary: 'Makes ListenPort the path of a unix socket (mode SocketMode, removed on exit).',
    check: checkBoolean,
  }),
  Secret: configKey({
    type: 'string',
    topic: 'Secrets',
    default: null,
    accepts: 'any text that is not blank, as UTF-8; its bytes are the key, nothing is trimmed or decoded',
    summary: 'The secret shared with the program that signs upload URLs, such as Prosody or ejabberd.',
    notes:
      'Without one in the file and in the environment, the first start makes a random one, keeps it in `<StoreDir>.secret` (mode 0600) and uses it from then on. Shorter than 16 bytes, or the placeholder of an example: accepted with a warning.',
    isReloadable: true,
    isSecret: true,
    check: checkSecret,
  }),
  StoreDir: configKey({
    type: 'string',
    topic: 'Storage',
    unit: 'path',
    default: null,
    accepts: 'a folder; created when it is missing',
    summary: 'The folder that holds the uploaded files. Required.',
    notes:
      'A file lies at `<StoreDir>/<path>`; the server keeps its own data in `<StoreDir>/.hfs`, which no URL reaches. Everything else in the folder is public: the configuration, the log and the secret belong elsewhere, and a log or configuration inside it is refused.',
    check: checkStoreDir,
  }),
  UploadSubDir: configKey({
    type: 'string',
    topic: 'Storage',
    unit: 'URL path',
    default: { type: 'string', value: '' },
    accepts: '`"files"`, `"/files"`, `"files/"`, `"a/b"`; `""` and `"/"` for the whole URL space',
    summary: 'The URL path below which files are uploaded and served; not part of the path on disk.',
    notes:
      'With `"files"` the URL of a file is `http://host/files/<path>`. Spaces and letters beyond ASCII are taken with a warning: request targets are compared as they arrive, and most clients encode them.',
    check: andThen(checkText, parseBasePath),
  }),
  LogLevel: configKey({
    type: 'string',
    topic: 'Log and metrics',
    default: { type: 'string', value: 'info' },
    accepts: '`panic`, `fatal`, `error`, `warn`, `warning`, `info`, `debug`, `trace`, in any case',
    summary: 'The least important lines that are logged.',
    isReloadable: true,
    check: checkLogLevel,
  }),
  LogFile: configKey({
    type: 'string',
    topic: 'Log and metrics',
    unit: 'path',
    default: { type: 'string', value: '' },
    accepts: 'the path of a file outside `StoreDir`; `""` for standard output only',
    summary: 'A file to which log lines are appended, besides standard output.',
    notes: 'SIGHUP opens it again, for logrotate.',
    isReloadable: true,
    check: checkPath,
  }),
  MetricsEnabled: configKey({
    type: 'boolean',
    topic: 'Log and metrics',
    default: { type: 'boolean', value: false },
    accepts: '`true`, `false`',
    summary: "Opens MetricsPort with the operator's pages: /metrics, /healthz, /readyz.",
    check: checkBoolean,
  }),
  MetricsPort: configKey({
    type: 'string',
    topic: 'Log and metrics',
    unit: 'address',
    default: { type: 'string', value: '127.0.0.1:9090' },
    accepts:
      '`"127.0.0.1:9090"`, `"[::1]:9090"`, `"9090"` or `9090` (loopback), `":9090"` (all interfaces, with a warning)',
    summary: "Where the operator's pages are served; never on the public port.",
    check: checkMetricsAddress,
  }),
  FileTTL: configKey({
    type: 'string',
    topic: 'Versions and expiry',
    unit: 'duration',
    default: { type: 'string', value: '' },
    accepts: 'a duration such as `"30d"` or `"1y30d12h"`; `""` and `"0"` for never',
    summary: 'The age at which files are removed, counted from the end of their upload.',
    isReloadable: true,
    notes:
      'An expired file is 404 at once, and removed by the next pass over the store: at the start, then at most every 10 minutes, at most 5 % of the files (but always 1,000) in each. Versions and records go with their file. The first pass with a new or shorter value removes nothing, and logs how many files the next one will remove.',
    check: durationUpTo(MAX_DURATION_SECONDS),
  }),
  ResumableUploadsEnabled: configKey({
    type: 'boolean',
    topic: 'Transfers',
    default: { type: 'boolean', value: true },
    accepts: '`true`, `false`',
    summary: 'Allows uploads that go on after a cut: tus, the IETF draft, PUT with Content-Range.',
    notes:
      '`false`: an upload that is cut leaves nothing, and begins again; what earlier runs left unfinished is removed when it expires.',
    check: checkBoolean,
  }),
  ResumableDownloadsEnabled: configKey({
    type: 'boolean',
    topic: 'Transfers',
    default: { type: 'boolean', value: true },
    accepts: '`true`, `false`',
    summary: 'Serves parts of files to clients that ask for a range.',
    notes: '`false`: `Range` is ignored, the answer is always the whole file.',
    check: checkBoolean,
  }),
  EnableVersioning: configKey({
    type: 'boolean',
    topic: 'Versions and expiry',
    default: { type: 'boolean', value: false },
    accepts: '`true`, `false`',
    summary: 'Lets a second upload on the same path replace the file; otherwise it is answered 409.',
    notes:
      'An upload URL can then be used again, by whoever has it, for as long as its secret is valid: each use with another content of the signed size replaces the file.',
    check: checkBoolean,
  }),
  MaxVersions: configKey({
    type: 'integer',
    topic: 'Versions and expiry',
    unit: 'versions',
    default: { type: 'integer', value: 0 },
    accepts: '0 to 10000; 0 keeps no old versions',
    summary: 'How many old versions of a file are kept, the newest ones.',
    notes: 'A lower number takes effect with the next upload to a file, and for all files with the next start.',
    isReloadable: true,
    check: integerBetween({ min: 0, max: 10_000, unit: 'versions' }),
  }),
  ChunkingEnabled: configKey({
    type: 'boolean',
    topic: 'Transfers',
    default: { type: 'boolean', value: true },
    accepts: '`true`, `false`',
    summary: 'Uses ChunkSize as the unit of storage; false: the built-in unit of 1048576 bytes.',
    check: checkBoolean,
  }),
  ChunkSize: configKey({
    type: 'integer',
    topic: 'Transfers',
    unit: 'bytes',
    default: { type: 'integer', value: 1_048_576 },
    accepts: '4096 to 67108864, also as `1_048_576`',
    summary: 'The size of the pieces in which a body is handed to storage; invisible to clients.',
    notes: 'An upload in flight takes about two pieces of memory.',
    check: integerBetween({ min: 4_096, max: 67_108_864, unit: 'bytes' }),
  }),
  AllowedExtensions: configKey({
    type: 'array of strings',
    topic: 'Transfers',
    default: { type: 'array', items: [] },
    accepts: '`[".txt", "pdf"]`, with or without the dot, in any case; `[]` for all',
    summary: 'The file name extensions that may be uploaded.',
    notes:
      'The extension is what follows the last dot of the name: `a.tar.gz` has `gz`. Names without a dot are refused when the list is not empty, unless it contains `""`.',
    isReloadable: true,
    check: checkExtensions,
  }),
} as const;
