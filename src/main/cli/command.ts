/** What a subcommand is: one file for each, one row for each in `command-line.ts`. */

import type { Environment } from '../config/environment.ts';

/** How the process ends (sysexits.h for 78). */
export const exitStatus = { ok: 0, failure: 1, usage: 2, configuration: 78 } as const;

/** What `serve` needs to find its configuration. */
export interface ServeOptions {
  /** As given on the command line. */
  readonly configFile: string;
  readonly environment: Environment;
  readonly cwd: string;
}

export interface TextSink {
  write(text: string): unknown;
  /** Somebody looks at it. */
  readonly isTTY?: boolean;
}

/** Everything that a command touches outside itself. */
export interface CommandIo {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly environment: Environment;
  readonly cwd: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Runs the server until it has stopped; answers the exit status. */
  readonly serve: (options: ServeOptions) => Promise<number>;
}

export interface CommandOption {
  /** Name of the value in help texts, such as `FILE`; null: the option takes none. */
  readonly value: string | null;
  /** The words that the value can be, if they are few. */
  readonly choices?: readonly string[];
  readonly help: string;
}

export interface CommandInput {
  /** Values of the given options; of options without a value an empty text. */
  readonly options: ReadonlyMap<string, string>;
  /** As many as `arguments` names, at most; required ones are there. */
  readonly positionals: readonly string[];
}

export interface Command {
  readonly name: string;
  /** Names of the positional arguments in order; those in brackets may be missing: `[FILE]`. */
  readonly arguments: readonly string[];
  /** One line, continues "hmac-file-server NAME ...". */
  readonly summary: string;
  /** Further lines of its help; an empty text for none. */
  readonly details: string;
  readonly options: Readonly<Record<string, CommandOption>>;
  /** Everything behind the name, `--help` too, is handed over as positionals. */
  readonly readsOwnArguments?: true;
  /**
   * @returns The exit status.
   * @throws {UsageError}
   */
  readonly run: (input: CommandInput, io: CommandIo) => Promise<number>;
}

/** The command line makes no sense. The message says what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The option of every command that reads the configuration. */
export const configOption: CommandOption = { value: 'FILE', help: 'configuration file; default: config.toml' };
