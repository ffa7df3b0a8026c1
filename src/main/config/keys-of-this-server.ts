/** The keys that HMAC File Server v2.0.2 does not have. */

import { configKey } from './config-key.ts';
import { accepted, type Checked, refused } from './given-value.ts';
import { durationUpTo } from './keys-of-2-0-2.ts';
import { parseOrigin } from './url-path.ts';
import { andThen, type Check, checkBoolean, checkSecrets, checkText, integerBetween, oneOf } from './value-checks.ts';

const ONE_DAY_SECONDS = 86_400;

const checkDeleteSecret: Check<string | null> = andThen(checkText, (secret): Checked<string | null> => {
  if (secret === '') return accepted(null);
  return secret.trim() === '' ? refused('consists of white space only') : accepted(secret);
});

const checkShutdownTimeout: Check<number> = (given) =>
  given.type === 'string' && given.value === ''
    ? refused('is empty; write "0" to stop at once')
    : durationUpTo(ONE_DAY_SECONDS)(given);

export const keysOfThisServer = {
  PreviousSecrets: configKey({
    type: 'array of strings',
    topic: 'Secrets',
    default: { type: 'array', items: [] },
    accepts: 'at most 4 texts',
    summary: 'Secrets that still verify besides Secret, so that it can be changed while old URLs are in use.',
    notes:
      'To rotate: put the new secret into `Secret` here and in the program that signs, keep the old one here for as long as its URLs may be used.',
    isReloadable: true,
    isSecret: true,
    check: checkSecrets,
  }),
  DeleteSecret: configKey({
    type: 'string',
    topic: 'Secrets',
    default: { type: 'string', value: '' },
    accepts: 'any text that is not blank; `""` for no deletion',
    summary: 'Enables signed deletion (Metronome). Without it DELETE is answered 405.',
    notes:
      'The same value as `http_file_delete_secret`. Uploads are not signed with it. [signatures.md](signatures.md#deletion-metronome) says what is signed.',
    isReloadable: true,
    isSecret: true,
    check: checkDeleteSecret,
  }),
  SignedPath: configKey({
    type: 'string',
    topic: 'Secrets',
    default: { type: 'string', value: 'relative' },
    accepts: '`"relative"`, `"full"`, `"either"`',
    summary: 'Which path is signed: relative to UploadSubDir, full with it, or either.',
    notes: 'Leave it at `relative` unless the program that signs needs another.',
    check: oneOf('relative', 'full', 'either'),
  }),
  TypeByExtension: configKey({
    type: 'boolean',
    topic: 'Secrets',
    default: { type: 'boolean', value: true },
    accepts: '`true`, `false`',
    summary: 'For v2 and token signatures, also tries the media types that belong to the extension of the name.',
    check: checkBoolean,
  }),
  AcceptV3: configKey({
    type: 'boolean',
    topic: 'Secrets',
    default: { type: 'boolean', value: true },
    accepts: '`true`, `false`',
    summary: 'Accepts v3 signatures, which expire but do not cover the size.',
    check: checkBoolean,
  }),
  MaxUploadSize: configKey({
    type: 'integer',
    topic: 'Transfers',
    unit: 'bytes',
    default: { type: 'integer', value: 0 },
    accepts: '0 to 9007199254740991; 0 for no limit',
    summary: 'The largest file that may be uploaded; larger ones are answered 413.',
    isReloadable: true,
    check: integerBetween({ min: 0, max: Number.MAX_SAFE_INTEGER, unit: 'bytes' }),
  }),
  OwnerQuota: configKey({
    type: 'integer',
    topic: 'Transfers',
    unit: 'bytes',
    default: { type: 'integer', value: 0 },
    accepts: '0 to 9007199254740991; 0 for no limit',
    summary: 'How much one uploader may have in the store, old versions included; more is answered 413.',
    notes:
      'Uploaders are known by the `sub` of a Bearer token, or by the first segment of a path of ejabberd; others are not limited. [storage.md](storage.md#what-owners-may-have) says what is exact about it.',
    isReloadable: true,
    check: integerBetween({ min: 0, max: Number.MAX_SAFE_INTEGER, unit: 'bytes' }),
  }),
  Durability: configKey({
    type: 'string',
    topic: 'Storage',
    default: { type: 'string', value: 'full' },
    accepts: '`"full"`, `"file"`, `"none"`',
    summary: 'What is synced to disk before an upload is answered: file and folder, the file, or nothing.',
    check: oneOf('full', 'file', 'none'),
  }),
  MinFreeSpace: configKey({
    type: 'integer',
    topic: 'Storage',
    unit: 'bytes',
    default: { type: 'integer', value: 268_435_456 },
    accepts: '0 to 9007199254740991',
    summary: 'Uploads are answered 507 when less than this would remain free.',
    check: integerBetween({ min: 0, max: Number.MAX_SAFE_INTEGER, unit: 'bytes' }),
  }),
  MinFreeInodes: configKey({
    type: 'integer',
    topic: 'Storage',
    unit: 'inodes',
    default: { type: 'integer', value: 1_000 },
    accepts: '0 to 9007199254740991',
    summary: 'Uploads are answered 507 when fewer inodes than this would remain free.',
    check: integerBetween({ min: 0, max: Number.MAX_SAFE_INTEGER, unit: 'inodes' }),
  }),
  StoreDigest: configKey({
    type: 'boolean',
    topic: 'Storage',
    default: { type: 'boolean', value: false },
    accepts: '`true`, `false`',
    summary: 'Computes and keeps the SHA-256 of every upload, at up to half of the throughput of large ones.',
    notes:
      'Every file then has a record of its own, which is one more small file and one more sync. `scrub` compares files with their digests.',
    check: checkBoolean,
  }),
  ShutdownTimeout: configKey({
    type: 'string',
    topic: 'Listening',
    unit: 'duration',
    default: { type: 'string', value: '30s' },
    accepts: 'a duration of at most one day; `"0"` to stop at once',
    summary: 'How long a stop waits for running transfers.',
    check: checkShutdownTimeout,
  }),
  PublicOrigin: configKey({
    type: 'string',
    topic: 'Listening',
    unit: 'origin',
    default: { type: 'string', value: '' },
    accepts: '`"https://files.example.org"`, without a path; `""` for none',
    summary: 'Scheme and host under which clients reach the server, for URLs in answers.',
    check: andThen(checkText, parseOrigin),
  }),
  MaxConcurrentUploads: configKey({
    type: 'integer',
    topic: 'Transfers',
    unit: 'uploads',
    default: { type: 'integer', value: 4_096 },
    accepts: '1 to 1000000',
    summary: 'Uploads in flight above which new ones are answered 503.',
    check: integerBetween({ min: 1, max: 1_000_000, unit: 'uploads' }),
  }),
  MaxOpenUploads: configKey({
    type: 'integer',
    topic: 'Transfers',
    unit: 'uploads',
    default: { type: 'integer', value: 10_000 },
    accepts: '1 to 1000000',
    summary:
      'Unfinished uploads, running or waiting for their client, above which none is begun that can be gone on with.',
    notes:
      'Such a creation is answered 503. Plain uploads are still taken; one that is cut then leaves nothing. Unfinished uploads expire 24 hours after their last byte.',
    check: integerBetween({ min: 1, max: 1_000_000, unit: 'uploads' }),
  }),
  MaxOpenUploadsPerOwner: configKey({
    type: 'integer',
    topic: 'Transfers',
    unit: 'uploads',
    default: { type: 'integer', value: 1_000 },
    accepts: '1 to 1000000',
    summary: 'The same for each uploader.',
    notes:
      'Uploaders are known by the `sub` of a Bearer token, or by the first segment of a path of ejabberd; others are not limited.',
    check: integerBetween({ min: 1, max: 1_000_000, unit: 'uploads' }),
  }),
  MaxConnections: configKey({
    type: 'integer',
    topic: 'Listening',
    unit: 'connections',
    default: { type: 'integer', value: 20_000 },
    accepts: '1 to 1000000',
    summary: 'Open client connections above which new ones are closed at once.',
    check: integerBetween({ min: 1, max: 1_000_000, unit: 'connections' }),
  }),
  Listeners: configKey({
    type: 'integer',
    topic: 'Listening',
    unit: 'threads',
    default: { type: 'integer', value: 1 },
    accepts: '1 to 64',
    summary: 'Threads that serve clients, each with an event loop of its own behind the one port.',
    notes:
      'One thread moves several gigabytes a second: raise it on machines with many cores, when that thread is the limit. Limits count all of them together. [operations.md](operations.md#listeners) says what each costs.',
    check: integerBetween({ min: 1, max: 64, unit: 'threads' }),
  }),
  UploadLanes: configKey({
    type: 'integer',
    topic: 'Transfers',
    unit: 'threads',
    default: { type: 'integer', value: 0 },
    accepts: '1 to 64; 0 for one per core but one, at least 1 and at most 8 for each listener',
    summary: 'Worker threads that receive uploads, divided among the listeners: at least one each.',
    check: integerBetween({ min: 0, max: 64, unit: 'threads' }),
  }),
  DownloadLanes: configKey({
    type: 'integer',
    topic: 'Transfers',
    unit: 'threads',
    default: { type: 'integer', value: 0 },
    accepts: '1 to 64; 0 for one per two cores, at most 4 for each listener',
    summary: 'Worker threads that read files for downloads, divided among the listeners: at least one each.',
    check: integerBetween({ min: 0, max: 64, unit: 'threads' }),
  }),
} as const;
