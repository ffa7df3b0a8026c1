/** The command line of `bench` as data: scenarios, targets, limits and outputs, all checked. */

import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Durability } from '../src/shared/files.ts';
import type { Deletion } from './endpoint.ts';
import { findPreset } from './presets.ts';
import { parseBytes, parseDurationMs, parseInteger, parseNumber } from './quantity.ts';
import { MAX_HELD_BYTES, type Scenario } from './scenario.ts';
import { parseScenario } from './scenario-grammar.ts';
import type { SignatureForm } from './targets/spawned-server.ts';
import { METRICS, type MetricName } from './versus.ts';

/** A command line that makes no sense; the message says why. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface TargetOptions {
  readonly secret: string | null;
  readonly signatureForm: SignatureForm;
  readonly mediaType: string;
  readonly isUntrusted: boolean;
  readonly readsBack: boolean;
  readonly deletion: Deletion;
  readonly pid: number | null;
  readonly durability: Durability;
}

export interface BenchOptions {
  readonly scenarios: readonly Scenario[];
  /** As written: `server`, `server:DIR`, `server?Key=value`, `nginx`, `nginx?directive=value`, `sink`, `one-by-one` or a URL. */
  readonly targets: readonly string[];
  readonly target: TargetOptions;
  readonly directories: readonly string[];
  /** Null: as many as suit the machine. */
  readonly threads: number | null;
  readonly warmUpMs: number;
  readonly maxHeldBytes: number;
  /** Runs of each scenario against each target; pairs with `--vs` and `--baseline`. */
  readonly repeat: number;
  readonly isComparison: boolean;
  readonly minRatio: number | null;
  /** Null: the one that suits the load. */
  readonly metric: MetricName | null;
  /** Git revision to compare the working tree with. */
  readonly baseline: string | null;
  readonly jsonFile: string | null;
  readonly htmlFile: string | null;
  readonly isQuiet: boolean;
}

const LEAST_PAIRS = 5;

const OPTIONS = {
  target: { type: 'string', multiple: true },
  vs: { type: 'string' },
  baseline: { type: 'string' },
  pairs: { type: 'string' },
  'min-ratio': { type: 'string' },
  metric: { type: 'string' },
  secret: { type: 'string' },
  sign: { type: 'string', default: 'v' },
  type: { type: 'string', default: 'application/octet-stream' },
  insecure: { type: 'boolean', default: false },
  pid: { type: 'string' },
  delete: { type: 'boolean', default: false },
  'delete-secret': { type: 'string' },
  'no-read-back': { type: 'boolean', default: false },
  durability: { type: 'string', default: 'none' },
  dir: { type: 'string', multiple: true },
  threads: { type: 'string' },
  duration: { type: 'string', default: '5s' },
  'warm-up': { type: 'string', default: '1s' },
  'max-data': { type: 'string', default: '9GB' },
  repeat: { type: 'string', default: '1' },
  json: { type: 'string' },
  html: { type: 'string' },
  quiet: { type: 'boolean', short: 'q', default: false },
  help: { type: 'boolean', short: 'h', default: false },
  list: { type: 'boolean', default: false },
} as const;

type Values = ReturnType<typeof readArguments>['values'];

function readArguments(argv: readonly string[]) {
  return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
}

/** What the command line asks for: `help` and `list` end with a text. Throws `UsageError` and the errors of the grammars. */
export function parseBenchOptions(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): BenchOptions | 'help' | 'list' {
  let parsed: ReturnType<typeof readArguments>;
  try {
    parsed = readArguments(argv);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  if (values.list) return 'list';
  if (values.help || positionals.length === 0) return 'help';
  const isComparison = values.vs !== undefined || values.baseline !== undefined;
  return {
    scenarios: readScenarios(positionals, parseDurationMs(values.duration)),
    targets: readTargets(values),
    target: readTargetOptions(values, environment),
    directories: (values.dir ?? [tmpdir()]).map((folder) => resolve(folder)),
    threads: values.threads === undefined ? null : parseInteger(values.threads, '--threads', 1, 64),
    warmUpMs: parseDurationMs(values['warm-up']),
    maxHeldBytes: Math.min(MAX_HELD_BYTES, parseBytes(values['max-data'])),
    repeat: readRepeat(values, isComparison),
    isComparison,
    minRatio: values['min-ratio'] === undefined ? null : parseNumber(values['min-ratio'], '--min-ratio', 0.01, 100),
    metric: values.metric === undefined ? null : oneOf('--metric', values.metric, METRICS),
    baseline: values.baseline ?? null,
    jsonFile: values.json ?? null,
    htmlFile: values.html ?? null,
    isQuiet: values.quiet,
  };
}

/** Names of presets, or the words of one scenario. */
function readScenarios(words: readonly string[], durationMs: number): Scenario[] {
  const presets = words.map((word) => findPreset(word, durationMs));
  if (presets.every((found) => found !== null)) return presets.flat();
  const whole = words.join(' ');
  return whole.split(/\s+,\s+/).map((text) => parseScenario(text, durationMs));
}

function readTargets(values: Values): string[] {
  const named = values.target ?? ['server'];
  if (values.baseline !== undefined) {
    if (values.vs !== undefined || values.target !== undefined) {
      throw new UsageError('--baseline brings its own two targets: no --target, no --vs');
    }
    return [];
  }
  if (values.vs === undefined) {
    for (const name of ['pairs', 'min-ratio', 'metric'] as const) {
      if (values[name] !== undefined) throw new UsageError(`--${name} needs --vs or --baseline`);
    }
    return named;
  }
  if (named.length !== 1) throw new UsageError('--vs compares exactly one --target with another');
  if (named[0] === values.vs) throw new UsageError('--vs needs two different targets');
  return [...named, values.vs];
}

function readRepeat(values: Values, isComparison: boolean): number {
  if (isComparison) return parseInteger(values.pairs ?? String(LEAST_PAIRS), '--pairs', LEAST_PAIRS, 100);
  return parseInteger(values.repeat, '--repeat', 1, 100);
}

function readTargetOptions(values: Values, environment: Readonly<Record<string, string | undefined>>): TargetOptions {
  const deleteSecret = values['delete-secret'];
  return {
    secret: values.secret ?? environment['BENCH_SECRET'] ?? null,
    signatureForm: oneOf('--sign', values.sign, ['v', 'v2', 'none']),
    mediaType: readMediaType(values.type),
    isUntrusted: values.insecure,
    readsBack: !values['no-read-back'],
    deletion:
      deleteSecret === undefined ? { kind: values.delete ? 'plain' : 'none' } : { kind: 'signed', deleteSecret },
    pid: values.pid === undefined ? null : parseInteger(values.pid, '--pid', 1, 2 ** 22),
    durability: oneOf('--durability', values.durability, ['none', 'file', 'full']),
  };
}

function readMediaType(text: string): string {
  if (/^[\x21-\x7e][\x20-\x7e]*$/.test(text)) return text;
  throw new UsageError('--type is no field value');
}

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === value);
  if (found === undefined) throw new UsageError(`${name} is one of ${allowed.join(', ')}, not "${value}"`);
  return found;
}
