/** Loads configuration texts in tests: each as a private file in a folder of its own, on a machine of known size. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { UnresolvedConfig } from '../../src/main/config/config.ts';
import { formatProblem } from '../../src/main/config/config-problem.ts';
import type { Environment } from '../../src/main/config/environment.ts';
import { type LoadedConfig, loadConfig } from '../../src/main/config/load-config.ts';

/** What every configuration needs, on the first two lines. */
export const MINIMAL = 'StoreDir = "/srv/store"\nSecret = "a-secret-of-24-characters"\n';

export const HOST = { cores: 4, memoryBytes: 8 * 1_024 ** 3, migratesConnections: false };

function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'hmac-config-'));
}

/** Runs something in a fresh folder and removes the folder afterwards. */
export function inFolder<T>(use: (folder: string) => T): T {
  const folder = makeFolder();
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same for something that takes its time. */
export async function inFolderAsync<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = makeFolder();
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Loads a text as `config.toml`. */
export function loadText(text: string | Buffer, environment: Environment = {}): LoadedConfig {
  return inFolder((cwd) => {
    writeFileSync(join(cwd, 'config.toml'), text, { mode: 0o600 });
    return loadConfig({ file: 'config.toml', environment, cwd, host: HOST });
  });
}

/** The configuration of a text that must be right. */
export function configOf(text: string | Buffer, environment: Environment = {}): UnresolvedConfig {
  const loaded = loadText(text, environment);
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  return loaded.config;
}

/** The problems of a text, one line each; none when it is right. */
export function problemsOf(text: string | Buffer, environment: Environment = {}): readonly string[] {
  const loaded = loadText(text, environment);
  return loaded.ok ? [] : loaded.problems.map(formatProblem);
}

/** MINIMAL and some lines; a line for a key of MINIMAL replaces it. */
export function complete(lines: string): string {
  const kept = MINIMAL.split('\n').filter((line) => !lines.startsWith(line.split(' ')[0] ?? ''));
  return `${lines}\n${kept.join('\n')}\n`;
}

/** The configuration of `complete(lines)`. */
export function withLines(lines: string): UnresolvedConfig {
  return configOf(complete(lines));
}

/** One test for each row, named after its lines. */
export function table<T>(
  title: string,
  rows: readonly (readonly [string, T])[],
  check: (line: string, expected: T) => void,
): void {
  describe(title, () => {
    for (const [line, expected] of rows)
      it(line === '' ? 'nothing given' : line.replaceAll('\n', '; '), () => check(line, expected));
  });
}
