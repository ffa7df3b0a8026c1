/**
 * Reads the configuration: the file, then the environment, which beats it. Answers either a frozen configuration or every
 * mistake at once. Creates nothing and opens nothing but the files that hold settings.
 */

import { resolve } from 'node:path';
import { buildConfig } from './build-config.ts';
import type { UnresolvedConfig } from './config.ts';
import { type ConfigProblem, type Place, sortProblems } from './config-problem.ts';
import { type ConfigKeyName, configKeyNames, rowOf, type Settings } from './config-schema.ts';
import { type Environment, readEnvironment, SECRET_FILE_VARIABLE } from './environment.ts';
import { explainRefusal, type GivenSetting, type GivenSettings } from './given-setting.ts';
import type { GivenValue } from './given-value.ts';
import { type HostFacts, readHostFacts } from './host-facts.ts';
import { readConfigFile } from './read-config-file.ts';
import { readTextFile } from './read-text-file.ts';
import { withoutLineEnd } from './secret-file.ts';

/** Read when the command line names none: that of the working directory. */
export const DEFAULT_CONFIG_FILE = 'config.toml';

const MAX_SECRET_BYTES = 65_536;

export interface LoadConfigOptions {
  /** The configuration file, as given on the command line. */
  readonly file: string;
  readonly environment: Environment;
  /** Relative paths, in the file too, begin here. */
  readonly cwd: string;
  /** What automatic values are made from; this machine by default. */
  readonly host?: HostFacts;
}

/** One key as it is in effect. */
export interface EffectiveSetting {
  readonly name: ConfigKeyName;
  /** Null: not given, and there is no default. */
  readonly value: GivenValue | null;
  /** Null: the default. */
  readonly place: Place | null;
}

export type LoadedConfig =
  | { readonly ok: true; readonly config: UnresolvedConfig; readonly settings: readonly EffectiveSetting[] }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** The configuration in effect, or everything that is wrong with it, in the order of the file. */
export function loadConfig(options: LoadConfigOptions): LoadedConfig {
  const { file, environment, cwd } = options;
  const configPath = resolve(cwd, file);
  const fromFile = readConfigFile(file, configPath);
  const fromEnvironment = readEnvironment(environment);
  const fromSecretFile = readSecretVariable(environment, cwd);
  const given = new Map<ConfigKeyName, GivenSetting>();
  for (const { name, value, place } of fromFile.settings) given.set(name, { value, place, source: 'config' });
  if (fromSecretFile?.setting != null) given.set('Secret', fromSecretFile.setting);
  for (const { name, value, variable } of fromEnvironment.settings) {
    given.set(name, { value, place: { kind: 'environment', variable }, source: 'environment' });
  }
  const checked = checkSettings(given);
  const built = buildConfig({
    settings: checked.settings,
    given,
    failed: checked.failed,
    isFileComplete: fromFile.isComplete,
    isFileWorldReadable: fromFile.isWorldReadable,
    host: options.host ?? readHostFacts(),
    file,
    configPath,
    cwd,
  });
  const problems = [
    ...fromFile.problems,
    ...fromEnvironment.problems,
    ...(fromSecretFile?.problems ?? []),
    ...checked.problems,
    ...built.problems,
  ];
  if (problems.length > 0 || built.config === null) return { ok: false, problems: sortProblems(problems) };
  return { ok: true, config: built.config, settings: effectiveSettings(given) };
}

interface SecretVariable {
  readonly setting: GivenSetting | null;
  readonly problems: readonly ConfigProblem[];
}

/** The secret from the file that the environment names (systemd `LoadCredential`, Docker secrets); null: none is named. */
function readSecretVariable(environment: Environment, cwd: string): SecretVariable | null {
  const file = environment[SECRET_FILE_VARIABLE];
  if (file === undefined) return null;
  const place: Place = { kind: 'environment', variable: SECRET_FILE_VARIABLE };
  const problem = (message: string): SecretVariable => ({
    setting: null,
    problems: [{ place, key: 'Secret', message }],
  });
  if (file === '') return problem('is empty; name a file, or unset it');
  if (Object.keys(environment).includes('HMAC_FILE_SERVER_SECRET')) {
    return problem('HMAC_FILE_SERVER_SECRET is set as well; set one of them');
  }
  const path = resolve(cwd, file);
  const source = readTextFile(path, MAX_SECRET_BYTES);
  if (!source.ok) return problem(`cannot read ${path}: ${source.message}`);
  const value: GivenValue = { type: 'string', value: withoutLineEnd(source.text) };
  return { setting: { value, place, source: 'secret-file' }, problems: [] };
}

interface CheckedSettings {
  readonly settings: Settings;
  /** Keys whose value was refused; `settings` has their default. */
  readonly failed: ReadonlySet<ConfigKeyName>;
  readonly problems: readonly ConfigProblem[];
}

function checkSettings(given: GivenSettings): CheckedSettings {
  const values: Partial<Record<ConfigKeyName, unknown>> = {};
  const failed = new Set<ConfigKeyName>();
  const problems: ConfigProblem[] = [];
  for (const name of configKeyNames) {
    values[name] = defaultOf(name);
    const setting = given.get(name);
    if (setting === undefined) continue;
    const checked = rowOf(name).check(setting.value);
    if (checked.ok) {
      values[name] = checked.value;
    } else {
      failed.add(name);
      problems.push({ place: setting.place, key: name, message: explainRefusal(name, setting, checked.message) });
    }
  }
  // Every key went through its own row, so every value has the type that the row says.
  return { settings: values as Settings, failed, problems };
}

function defaultOf(name: ConfigKeyName): unknown {
  const row = rowOf(name);
  const checked = row.default === null ? null : row.check(row.default);
  return checked?.ok === true ? checked.value : null;
}

function effectiveSettings(given: GivenSettings): readonly EffectiveSetting[] {
  return configKeyNames.map((name) => {
    const setting = given.get(name);
    return { name, value: setting?.value ?? rowOf(name).default, place: setting?.place ?? null };
  });
}
