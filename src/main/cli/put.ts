/** `put`: uploads a file to a signed URL, goes on after cuts, and says where the file can be fetched. */

import { parseDuration } from '../config/duration.ts';
import { adviceFor } from '../put/advice.ts';
import { LocalFile, LocalFileError } from '../put/local-file.ts';
import { createProgress, type Progress } from '../put/progress-view.ts';
import { downloadUrl, type PutOutcome, putFile } from '../put/put-file.ts';
import { type Command, type CommandInput, type CommandIo, exitStatus, UsageError } from './command.ts';

/** Besides those of every command. */
const putStatus = { refused: 3, gaveUp: 4, differs: 5, interrupted: 130 } as const;
const DEFAULT_GIVE_UP = '5m';
const DEFAULT_STALL = '30s';
const CERTIFICATE_ADVICE =
  'If the certificate is signed by an authority of your own, NODE_EXTRA_CA_CERTS=FILE makes it known.';

async function put(input: CommandInput, io: CommandIo): Promise<number> {
  const [path = '', target = ''] = input.positionals;
  const url = readUrl(target);
  const giveUpAfterMs = readDuration(input, 'give-up-after', DEFAULT_GIVE_UP);
  const stallMs = readDuration(input, 'stall', DEFAULT_STALL);
  if (path === '-') throw new UsageError('FILE must be a file: what comes from a pipe cannot be sent again');
  try {
    const file = await LocalFile.open(path, io.cwd);
    try {
      const progress = progressOf(input, io, file);
      const type = input.options.get('type') ?? null;
      const job = { file, url, type, giveUpAfterMs, stallMs, view: progress };
      const outcome = await untilInterrupted((signal) => putFile({ ...job, signal }));
      if (outcome?.kind === 'stored' && !outcome.wasThere) progress.done();
      else progress.clear();
      return report(outcome, { url, size: file.size }, io);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!(error instanceof LocalFileError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return exitStatus.failure;
  }
}

/** Ends with `null` when the user stops it (Ctrl-C) or somebody ends it. */
async function untilInterrupted(run: (signal: AbortSignal) => Promise<PutOutcome>): Promise<PutOutcome | null> {
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    return await run(interruption.signal);
  } catch (error) {
    if (interruption.signal.aborted) return null;
    throw error;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

interface Job {
  readonly url: URL;
  readonly size: number;
}

function report(outcome: PutOutcome | null, { url, size }: Job, { stdout, stderr }: CommandIo): number {
  if (outcome === null) {
    stderr.write('stopped; the same command goes on from there\n');
    return putStatus.interrupted;
  }
  switch (outcome.kind) {
    case 'stored':
      if (outcome.wasThere) stderr.write('it was there already, byte for byte\n');
      if (!outcome.isChecked) stderr.write('the server does not give it back, so it could not be compared\n');
      stdout.write(`${downloadUrl(url).href}\n`);
      return exitStatus.ok;
    case 'refused': {
      const { status, words } = outcome;
      const advice = adviceFor(status, words, size);
      stderr.write(`the server refuses it: ${status} ${words}\n${advice === null ? '' : `${advice}\n`}`);
      return putStatus.refused;
    }
    case 'gave-up':
      stderr.write(`gave up: ${outcome.reason}\nThe same command goes on with what has arrived.\n`);
      return putStatus.gaveUp;
    case 'untrusted':
      stderr.write(`no secure connection: ${outcome.reason}\n${CERTIFICATE_ADVICE}\n`);
      return putStatus.gaveUp;
    case 'differs':
      stderr.write('what is stored is not what was sent: get a new URL and send the file again\n');
      return putStatus.differs;
    default:
      return outcome satisfies never;
  }
}

function progressOf(input: CommandInput, io: CommandIo, { name, size }: LocalFile): Progress {
  const isQuiet = input.options.has('quiet');
  const { stderr, environment, now } = io;
  const locale = environment['LC_ALL'] || environment['LC_CTYPE'] || environment['LANG'] || '';
  const sink = isQuiet ? { write: () => {} } : stderr;
  return createProgress({ sink, name, size, now, hasBlocks: /utf-?8/i.test(locale) });
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  throw new UsageError('URL is the signed URL of the upload: https://... in quotes');
}

function readDuration({ options }: CommandInput, name: string, ifAbsent: string): number {
  const duration = parseDuration(options.get(name) ?? ifAbsent);
  if (duration.ok && duration.value > 0) return duration.value * 1_000;
  throw new UsageError(`--${name} is a duration such as ${ifAbsent}`);
}

export const putCommand: Command = {
  name: 'put',
  arguments: ['FILE', 'URL'],
  summary: 'uploads a file to a signed URL, and goes on by itself after a cut',
  details: `URL is a signed upload URL, in quotes: from "hmac-file-server sign", or from an XMPP server. When
the connection or the server goes away, the server is asked how much it has, and the rest is
sent. That works for a stopped command as well: run it again. At the end the digest of what is
stored is compared with the file, and the URL to fetch it is printed on standard output.

  hmac-file-server put film.mkv "$(hmac-file-server sign film.mkv $(stat -c %s film.mkv))"

Exit status: 0 stored, 1 the file cannot be read or was changed, 2 wrong command line, 3 refused
by the server, 4 gave up, 5 something else was stored, 130 stopped.`,
  options: {
    type: { value: 'TYPE', help: 'media type to send; needed when the URL was signed for one' },
    'give-up-after': { value: 'TIME', help: `how long to try in vain; default: ${DEFAULT_GIVE_UP}` },
    stall: { value: 'TIME', help: `how long a connection may be silent; default: ${DEFAULT_STALL}` },
    quiet: { value: null, help: 'no progress' },
  },
  run: put,
};
