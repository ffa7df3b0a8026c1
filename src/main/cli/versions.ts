/** `versions`: lists the contents of one file. It only reads, also beside a running server. */

import type { ContentFacts, FileHistory } from '../../shared/store-reports.ts';
import { type Command, type CommandInput, type CommandIo, configOption, exitStatus } from './command.ts';
import { runOnStore } from './store-command.ts';
import { readKey } from './stored-path.ts';

const HEADINGS = ['ID', 'REPLACED', 'SIZE', 'STORED'] as const;

function versions(input: CommandInput, io: CommandIo): Promise<number> {
  const [path = ''] = input.positionals;
  const key = readKey(path);
  return runOnStore(input, io, async (jobs) => {
    const history = await jobs.run({ task: 'history', key });
    const isKnown = history.current !== null || history.versions.length > 0;
    if (input.options.has('json')) io.stdout.write(`${JSON.stringify(asJson(key, history))}\n`);
    else if (isKnown) io.stdout.write(asTable(history));
    else io.stderr.write(`there is no file ${key}, and no version of it\n`);
    return isKnown ? exitStatus.ok : exitStatus.failure;
  });
}

/** Oldest first, as they were stored. */
function asTable({ current, versions: old }: FileHistory): string {
  const rows = old.map(({ id, replacedMs, ...facts }) => [id, time(replacedMs), ...columnsOf(facts)]);
  if (current !== null) rows.push(['current', '-', ...columnsOf(current)]);
  const all = [HEADINGS, ...rows];
  const widths = HEADINGS.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function columnsOf({ sizeBytes, modifiedMs }: ContentFacts): readonly string[] {
  return [String(sizeBytes), time(modifiedMs)];
}

function asJson(path: string, { current, versions: old }: FileHistory): unknown {
  return {
    path,
    current: current === null ? null : factsOf(current),
    versions: old.map(({ id, replacedMs, ...facts }) => ({ id, replaced_at: time(replacedMs), ...factsOf(facts) })),
  };
}

function factsOf({ sizeBytes, modifiedMs, type, sha256 }: ContentFacts): object {
  return { size_bytes: sizeBytes, stored_at: time(modifiedMs), type, sha256 };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}

export const versionsCommand: Command = {
  name: 'versions',
  arguments: ['PATH'],
  summary: 'lists the old contents of a file that are kept, and the current one',
  details: `PATH is relative to UploadSubDir, as it is stored, not encoded. The server may be running.
An ID is what restore takes.`,
  options: {
    json: { value: null, help: 'one JSON object, with stored types and digests' },
    config: configOption,
  },
  run: versions,
};
