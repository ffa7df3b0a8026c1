/** Reads the configuration file into given values, with a problem for everything in it that is no setting. */

import type { ConfigProblem, Place } from './config-problem.ts';
import { type ConfigKeyName, findKey } from './config-schema.ts';
import { explainTable, explainTableKey, explainUnknownKey } from './foreign-keys.ts';
import type { GivenValue } from './given-value.ts';
import { readTextFile } from './read-text-file.ts';
import { readTomlEntries, type TomlEntry } from './toml-entries.ts';
import type { Position } from './toml-statements.ts';

const MAX_FILE_BYTES = 1_048_576;

export interface FileSetting {
  readonly name: ConfigKeyName;
  readonly value: GivenValue;
  /** Where the value stands. */
  readonly place: Place;
}

export interface FileSettings {
  readonly settings: readonly FileSetting[];
  readonly problems: readonly ConfigProblem[];
  /** False: something could not be read, so that a missing key may well stand in the file. */
  readonly isComplete: boolean;
  /** Everybody on this machine may read the file. */
  readonly isWorldReadable: boolean;
}

/**
 * @param file The path as given, for messages.
 * @param path The path to open.
 */
export function readConfigFile(file: string, path: string): FileSettings {
  const source = readTextFile(path, MAX_FILE_BYTES);
  if (!source.ok) {
    const place: Place = { kind: 'file', file, line: null, column: null };
    const message = `cannot read the configuration: ${source.message} (tried ${path}); "hmac-file-server init" writes one`;
    return { settings: [], problems: [{ place, key: null, message }], isComplete: false, isWorldReadable: false };
  }
  const read = readSettings(file, source.text.replaceAll('\r\n', '\n'));
  return { ...read, isWorldReadable: source.isRegular && (source.mode & 0o004) !== 0 };
}

function readSettings(file: string, text: string): Omit<FileSettings, 'isWorldReadable'> {
  const document = readTomlEntries(text);
  const placeOf = ({ line, column }: Position): Place => ({ kind: 'file', file, line, column });
  const problems: ConfigProblem[] = [
    ...document.errors.map(({ at, message }) => ({ place: placeOf(at), key: null, message })),
    ...document.tables.map(({ at, path }) => ({ place: placeOf(at), key: null, message: explainTable(path) })),
  ];
  const settings: FileSetting[] = [];
  const firstLines = new Map<ConfigKeyName, number>();
  for (const entry of document.entries) {
    const name = keyOf(entry);
    const first = name === null ? undefined : firstLines.get(name);
    if (name !== null && first === undefined) {
      firstLines.set(name, entry.keyAt.line);
      settings.push({ name, value: entry.value, place: placeOf(entry.valueAt) });
    } else {
      const message = name === null ? explainEntry(entry) : `${name} is set twice; it stands in line ${first} already`;
      problems.push({ place: placeOf(entry.keyAt), key: name, message });
    }
  }
  return { settings, problems, isComplete: document.errors.length === 0 && document.tables.length === 0 };
}

function keyOf({ path }: TomlEntry): ConfigKeyName | null {
  return path.length === 1 ? findKey(path[0] ?? '') : null;
}

function explainEntry({ path, value }: TomlEntry): string {
  if (path.length > 1) return explainTableKey(path);
  return value.type === 'table' ? explainTable(path) : explainUnknownKey(path[0] ?? '');
}
