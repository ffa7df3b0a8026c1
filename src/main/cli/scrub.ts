/** `scrub`: finds files whose bytes have changed since they were stored. It only reads, also beside a running server. */

import type { DamagedContent, FromScrub, ScrubProgress } from '../../shared/store-reports.ts';
import { type Command, type CommandInput, type CommandIo, configOption, exitStatus, type TextSink } from './command.ts';
import { runOnStore } from './store-command.ts';

/** Without a terminal progress is a line now and then. */
const LINE_INTERVAL_MS = 10_000;

const REASONS = {
  flipped: 'bits have flipped',
  changed: 'the file was changed',
  unreadable: 'it cannot be read',
} satisfies Record<DamagedContent['reason'], string>;

async function scrub(input: CommandInput, io: CommandIo): Promise<number> {
  const asJson = input.options.has('json');
  const damaged: DamagedContent[] = [];
  const progress = progressOn(io.stderr, io.now);
  const onMessage = (message: FromScrub): void => {
    if (message.type === 'progress') {
      progress.show(message);
      return;
    }
    const { type, ...content } = message;
    damaged.push(content);
    progress.clear();
    if (!asJson) io.stdout.write(describe(content));
  };
  return runOnStore(input, io, async (jobs) => {
    const { files, bytes } = await jobs.scrub(onMessage);
    progress.clear();
    if (asJson) io.stdout.write(`${JSON.stringify({ files, bytes, damaged: damaged.map(asRow) })}\n`);
    else io.stdout.write(summary({ files, bytes, damaged: damaged.length }));
    return damaged.length === 0 ? exitStatus.ok : exitStatus.failure;
  });
}

function describe({ path, versionId, expected, found, reason }: DamagedContent): string {
  const version = versionId === null ? '' : `, version ${versionId}`;
  return `${path}${version}: ${REASONS[reason]}\n  expected ${expected}\n  found    ${found ?? '-'}\n`;
}

function asRow({ path, versionId, expected, found, reason }: DamagedContent): unknown {
  return { path, version: versionId, reason, expected_sha256: expected, found_sha256: found };
}

function summary({ files, bytes, damaged }: ScrubProgress): string {
  if (files === 0) return 'no digest is known: StoreDigest = true keeps those of the uploads that follow\n';
  return `${files} contents, ${bytes} bytes read: ${damaged === 0 ? 'all as they were stored' : `${damaged} damaged`}\n`;
}

interface ProgressView {
  show(progress: ScrubProgress): void;
  /** Takes an unfinished line off the terminal. */
  clear(): void;
}

function progressOn(sink: TextSink, now: () => number): ProgressView {
  const isTerminal = sink.isTTY === true;
  let isShown = false;
  let shownMs = now();
  return {
    show: ({ files, bytes, damaged }) => {
      if (!isTerminal && now() - shownMs < LINE_INTERVAL_MS) return;
      shownMs = now();
      isShown = isTerminal;
      const text = `${files} contents, ${bytes} bytes read, ${damaged} damaged`;
      sink.write(isTerminal ? `\r\x1b[K${text}` : `${text}\n`);
    },
    clear: () => {
      if (isShown) sink.write('\r\x1b[K');
      isShown = false;
    },
  };
}

export const scrubCommand: Command = {
  name: 'scrub',
  arguments: [],
  summary: 'names the stored files that are no longer what was uploaded',
  details: `It reads every content whose digest is known: what was uploaded with StoreDigest = true, old
versions too. The server may be running; nothing is changed. Exit status 1 when a content is
damaged or cannot be read.`,
  options: {
    json: { value: null, help: 'one JSON object at the end' },
    config: configOption,
  },
  run: scrub,
};
