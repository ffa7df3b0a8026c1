/**
 * Scenarios as text: `put size=64KiB connections=32`, loads at the same time joined by `+`. The one place that knows defaults and
 * bounds of a load; everything behind it gets a complete `Scenario`.
 */

import { formatSize, parseBytes, parseDurationMs, parseInteger, parseNumber } from './quantity.ts';
import {
  type Load,
  largestSize,
  MAX_HELD_BYTES,
  meanSize,
  type Operation,
  readsFiles,
  type Scenario,
  type SizeShare,
} from './scenario.ts';

/** A scenario that cannot be read; the message says which word. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
}

const LONGEST_MS = 600e3;
const MOST_CONNECTIONS = 10_000;
const MOST_REQUESTS = 1e9;
const SEED_BYTES = 1024 ** 3;

const KEYS = [
  'name',
  'size',
  'range',
  'piece',
  'files',
  'connections',
  'rate',
  'arrivals',
  'duration',
  'requests',
  'speed',
  'churn',
  'timeout',
  'reads',
] as const;
type Key = (typeof KEYS)[number];

interface LoadWords {
  readonly verb: string;
  readonly settings: ReadonlyMap<Key, string>;
}

/** Reads one scenario. It takes `defaultDurationMs` when none of its loads names a duration or a count of requests. */
export function parseScenario(text: string, defaultDurationMs: number, name?: string): Scenario {
  const isBounded = /\s(?:duration|requests)=/.test(text);
  const [first, ...more] = text
    .trim()
    .split(/\s+\+\s+/)
    .flatMap((part) => parseLoads(part, isBounded ? LONGEST_MS : defaultDurationMs));
  if (first === undefined) throw new ScenarioError(`no load in "${text}"`);
  return { name: name ?? [first, ...more].map((load) => load.name).join(' + '), loads: [first, ...more] };
}

function parseLoads(text: string, defaultDurationMs: number): Load[] {
  const words = splitWords(text);
  switch (words.verb) {
    case 'put':
    case 'get':
    case 'head':
    case 'append':
      return [buildLoad(words.verb, words.settings, defaultDurationMs)];
    case 'mixed':
      return mixedLoads(words.settings, defaultDurationMs);
    default:
      throw new ScenarioError(`unknown load "${words.verb}": put, get, head, append or mixed`);
  }
}

function splitWords(text: string): LoadWords {
  const [verb = '', ...words] = text.trim().split(/\s+/);
  const settings = new Map<Key, string>();
  for (const word of words) {
    const [rawKey = '', ...rest] = word.split('=');
    const key = KEYS.find((known) => known === (rawKey === 'conns' ? 'connections' : rawKey));
    if (key === undefined) throw new ScenarioError(`unknown setting "${rawKey}": one of ${KEYS.join(', ')}`);
    if (rest.length === 0 && key !== 'churn') throw new ScenarioError(`"${key}" needs a value: ${key}=…`);
    if (settings.has(key)) throw new ScenarioError(`"${key}" stands twice in "${text}"`);
    settings.set(key, rest.join('='));
  }
  return { verb, settings };
}

/** Reads and writes at the same time, each on its share of the connections (and of the rate). */
function mixedLoads(settings: ReadonlyMap<Key, string>, defaultDurationMs: number): Load[] {
  const share = parseNumber((settings.get('reads') ?? '50%').replace(/%$/, ''), 'reads', 1, 99) / 100;
  const connections = parseInteger(settings.get('connections') ?? '10', 'connections', 2, MOST_CONNECTIONS);
  const readers = Math.min(connections - 1, Math.max(1, Math.round(connections * share)));
  const part = (own: number, ownShare: number): Map<Key, string> => {
    const copy = new Map(settings);
    copy.delete('reads');
    copy.set('connections', String(own));
    const rate = settings.get('rate');
    if (rate !== undefined) copy.set('rate', String(Number(rate) * ownShare));
    return copy;
  };
  return [
    buildLoad('put', part(connections - readers, 1 - share), defaultDurationMs),
    buildLoad('get', part(readers, share), defaultDurationMs),
  ];
}

function buildLoad(operation: Operation, settings: ReadonlyMap<Key, string>, defaultDurationMs: number): Load {
  refuseMisplaced(operation, settings);
  const read = <T>(key: Key, reader: (text: string) => T): T | null => {
    const text = settings.get(key);
    return text === undefined ? null : reader(text);
  };
  const sizes = parseSizes(settings.get('size') ?? '64KiB');
  const maxRequests = read('requests', (text) => parseInteger(text, 'requests', 1, MOST_REQUESTS));
  const durationMs = read('duration', parseDurationMs) ?? defaultDurationMs;
  if (durationMs < 1 || durationMs > LONGEST_MS) throw new ScenarioError('duration must be between 1 ms and 10 min');
  const files = read('files', (text) => parseInteger(text, 'files', 1, 100_000)) ?? defaultFiles(sizes);
  const load: Omit<Load, 'name'> = {
    operation,
    sizes,
    rangeBytes: read('range', (text) => atLeastOne('range', parseBytes(text))),
    pieceBytes: read('piece', (text) => atLeastOne('piece', parseBytes(text))) ?? 1024 ** 2,
    files,
    connections: read('connections', (text) => parseInteger(text, 'connections', 1, MOST_CONNECTIONS)) ?? 1,
    ratePerSecond: read('rate', (text) => parseNumber(text, 'rate', 0.01, 1e6)),
    arrivals: read('arrivals', parseArrivals) ?? 'even',
    durationMs,
    maxRequests,
    bytesPerSecond: read('speed', (text) => atLeastOne('speed', parseBytes(text))),
    isChurning: settings.has('churn'),
    timeoutMs: read('timeout', parseDurationMs) ?? 60e3,
  };
  const named = { ...load, name: settings.get('name') ?? describeLoad(load, settings.has('size')) };
  refuseImpossible(named);
  return named;
}

const ONLY_FOR: Readonly<Partial<Record<Key, readonly Operation[]>>> = {
  range: ['get'],
  piece: ['append'],
  files: ['get', 'head'],
  reads: [],
};

function refuseMisplaced(operation: Operation, settings: ReadonlyMap<Key, string>): void {
  for (const key of settings.keys()) {
    const fitting = ONLY_FOR[key];
    if (fitting !== undefined && !fitting.includes(operation)) {
      throw new ScenarioError(`"${key}" means nothing for ${operation}`);
    }
  }
}

function refuseImpossible(load: Load): void {
  const largest = largestSize(load.sizes);
  if (largest > MAX_HELD_BYTES) throw new ScenarioError('a size above 10 GB is more than a run may hold');
  if (readsFiles(load) && load.files * meanSize(load.sizes) > MAX_HELD_BYTES) {
    throw new ScenarioError(`${load.files} files of this size are more than the 10 GB that a run may hold`);
  }
  if (load.rangeBytes !== null && load.rangeBytes > Math.min(...load.sizes.map((share) => share.minBytes))) {
    throw new ScenarioError('"range" is larger than the smallest file');
  }
}

/** `64KiB`, `4KiB..1MiB` (random), or a mix `16KiB:9,1MiB:1` with weights. */
function parseSizes(text: string): Load['sizes'] {
  const [first, ...more] = text.split(',').map((share): SizeShare => {
    const [range = '', weight = '1'] = share.split(':');
    const [low = '', high = low] = range.split('..');
    const minBytes = parseBytes(low);
    const maxBytes = parseBytes(high);
    if (maxBytes < minBytes) throw new ScenarioError(`"${range}" begins above its end`);
    return { minBytes, maxBytes, weight: parseNumber(weight, 'weight', 0.001, 1e6) };
  });
  if (first === undefined) throw new ScenarioError('no size');
  return [first, ...more];
}

function parseArrivals(text: string): Load['arrivals'] {
  if (text === 'even' || text === 'poisson') return text;
  throw new ScenarioError(`arrivals are even or poisson, not "${text}"`);
}

function atLeastOne(key: Key, value: number): number {
  if (value < 1) throw new ScenarioError(`"${key}" must be at least 1`);
  return value;
}

/** Enough files that no single one stays hot in the server, few enough to be uploaded in a moment. */
function defaultFiles(sizes: Load['sizes']): number {
  return Math.max(1, Math.min(100, Math.floor(SEED_BYTES / Math.max(1, meanSize(sizes)))));
}

function describeSizes(sizes: Load['sizes']): string {
  return sizes
    .map(({ minBytes, maxBytes }) =>
      minBytes === maxBytes ? formatSize(minBytes) : `${formatSize(minBytes)}–${formatSize(maxBytes)}`,
    )
    .join(', ');
}

/** A read that names no size may be one of a fixed file: then the size is not ours to tell. */
function describeLoad(load: Omit<Load, 'name'>, hasSize: boolean): string {
  const verb = load.operation.toUpperCase();
  const parts = [
    hasSize || !(load.operation === 'get' || load.operation === 'head') ? `${verb} ${describeSizes(load.sizes)}` : verb,
  ];
  if (load.rangeBytes !== null) parts.push(`range ${formatSize(load.rangeBytes)}`);
  if (load.operation === 'append') parts.push(`pieces of ${formatSize(load.pieceBytes)}`);
  parts.push(`${load.connections} conn${load.connections === 1 ? '' : 's'}`);
  if (load.ratePerSecond !== null) parts.push(`${load.ratePerSecond}/s`);
  if (load.bytesPerSecond !== null) parts.push(`${formatSize(load.bytesPerSecond)}/s each`);
  if (load.isChurning) parts.push('new connections');
  return parts.join(', ');
}
