/**
 * Keys of other versions of HMAC File Server, and what to write instead: the flat ones of 2.0.3 to 2.0.5, the sectioned
 * ones of 3.x, and those of example files that no code ever read.
 */

import { type ConfigKeyName, configKeyNames, findSimilarKey } from './config-schema.ts';
import { quote } from './given-value.ts';
import { comparableName, nearestName } from './nearest-name.ts';

/** Other names of our keys, in comparable form (lower case, no `_` and `-`). */
const aliases: ReadonlyMap<string, ConfigKeyName> = new Map<string, ConfigKeyName>([
  ['chunkeduploadsenabled', 'ChunkingEnabled'],
  ['storagepath', 'StoreDir'],
  ['listenaddress', 'ListenPort'],
  ['unixsocketpath', 'ListenPort'],
  ['filettlenabled', 'FileTTL'],
  ['maxfileage', 'FileTTL'],
  ['deletefilesafterperiod', 'FileTTL'],
  ['minfreebytes', 'MinFreeSpace'],
  ['minfreespacethreshold', 'MinFreeSpace'],
  ['globalextensions', 'AllowedExtensions'],
  ['gracefulshutdowntimeout', 'ShutdownTimeout'],
]);

/** Names that mean something else, or nothing, in a certain table of 3.x. */
const tableAliases: ReadonlyMap<string, ConfigKeyName | null> = new Map<string, ConfigKeyName | null>([
  ['logging.level', 'LogLevel'],
  ['logging.file', 'LogFile'],
  ['timeouts.shutdown', 'ShutdownTimeout'],
  ['downloads.chunksize', null],
]);

interface ForeignFamily {
  readonly matches: RegExp;
  /** What happens here instead, as a sentence without its end. */
  readonly instead: string;
}

const withoutCounterpart: readonly ForeignFamily[] = [
  {
    matches: /^(?:read|write|idle)timeout$/,
    instead: 'connections that stand still are closed by limits that the server sets itself',
  },
  {
    matches: /^(?:numworkers|enabledynamicworkers|autoadjustworkers|workerscale\w*)$/,
    instead: 'the number of worker threads follows the cores; UploadLanes and DownloadLanes set it',
  },
  {
    matches: /^uploadqueuesize$/,
    instead: 'MaxConcurrentUploads says how many uploads may run; more are answered 503',
  },
  { matches: /^redis/, instead: 'the server needs no database' },
  { matches: /^(?:clamav|numscanworkers|scanfileextensions)/, instead: 'uploads are not scanned' },
  { matches: /^dedup/, instead: 'every file is stored on its own' },
  {
    matches: /^(?:enableratelimit|ratelimit|fail2ban|blockafterfails|enablefail2ban)/,
    instead: 'limit rates in the proxy in front, or with fail2ban on the log',
  },
  { matches: /^(?:enablejwt|jwt)/, instead: 'Secret and PreviousSecrets are the only keys' },
  { matches: /^(?:chunkeddownloads|iso)/, instead: 'files are served from StoreDir as they are' },
  { matches: /^(?:networkevents|networkchange|precache|cleanuponexit)/, instead: 'the server needs no such switch' },
  { matches: /^pidfile/, instead: 'no such file is written; the service manager knows the process' },
  { matches: /^versioning/, instead: 'versions are set by EnableVersioning and MaxVersions alone' },
  { matches: /^bindip$/, instead: 'the address stands in ListenPort, as in "192.0.2.1:8080"' },
];

const neverInEffect = /^(?:fallback|throttle|dynamiccpus|gc(?:enabled|percent|interval))/;

/** Why a key of the flat file is unknown, and what its writer probably wants. */
export function explainUnknownKey(name: string): string {
  const shown = quote(name);
  const comparable = comparableName(name);
  const alias = aliases.get(comparable);
  if (alias !== undefined)
    return `unknown key ${shown}, as in other versions of HMAC File Server - the key here is "${alias}"`;
  if (findSimilarKey(name) === null) {
    const family = withoutCounterpart.find(({ matches }) => matches.test(comparable));
    if (family !== undefined) return `key ${shown} has no counterpart here; remove it: ${family.instead}`;
    if (neverInEffect.test(comparable)) return `key ${shown} had no effect before either; remove it`;
  }
  const nearest = nearestName(name, configKeyNames);
  return nearest === null
    ? `unknown key ${shown}; docs/configuration.md lists the keys`
    : `unknown key ${shown} - did you mean "${nearest}"?`;
}

/** What a `[table]` header means: that the file is one of 3.x. */
export function explainTable(path: readonly string[]): string {
  return `table [${path.join('.')}]: this is the sectioned format of HMAC File Server 3.x; here every setting stands in one flat list`;
}

/** Where a value in a table belongs. */
export function explainTableKey(path: readonly string[]): string {
  const shown = quote(path.join('.'));
  const name = path.at(-1) ?? '';
  const comparable = comparableName(name);
  const inTable = tableAliases.get(path.map(comparableName).join('.'));
  const key = inTable === undefined ? (aliases.get(comparable) ?? findSimilarKey(name)) : inTable;
  if (key !== null) return `${shown}: write ${key} = ... above the first table`;
  const whole = path.map(comparableName).join('');
  const family = withoutCounterpart.find(({ matches }) => matches.test(comparable) || matches.test(whole));
  return family === undefined
    ? `${shown} has no counterpart here; remove it`
    : `${shown} has no counterpart here; remove it: ${family.instead}`;
}
