/** `restore`: makes an old content of a file current again. It holds the store, as a server does. */

import { SharedFlag } from '../../shared/shared-flag.ts';
import type { RestoreOutcome } from '../../shared/store-reports.ts';
import { StartError } from '../start-error.ts';
import { StoreKeeper } from '../store/store-keeper.ts';
import { type Command, type CommandInput, type CommandIo, configOption, exitStatus } from './command.ts';
import { noEvents, runOnStore } from './store-command.ts';
import { readKey } from './stored-path.ts';

function restore(input: CommandInput, io: CommandIo): Promise<number> {
  const [path = '', id = ''] = input.positionals;
  const key = readKey(path);
  return runOnStore(input, io, async (jobs, { storeDir }) => {
    refuseOtherUser(await jobs.run({ task: 'owner' }), storeDir);
    const logger = { log: () => {} };
    const degraded = new SharedFlag(SharedFlag.allocate());
    const store = new StoreKeeper({ jobs, degraded, events: noEvents, logger, storeDir, doorkeeper: null });
    await store.open();
    try {
      return report(await jobs.run({ task: 'restore', key, id }), key, id, io);
    } finally {
      await store.close();
    }
  });
}

/** What root restores, the server could not read. */
function refuseOtherUser(ownerId: number, storeDir: string): void {
  if (process.geteuid?.() === ownerId) return;
  throw new StartError(`StoreDir ${storeDir} belongs to user ${ownerId}; run this command as that user`);
}

function report(outcome: RestoreOutcome, path: string, id: string, { stdout, stderr }: CommandIo): number {
  switch (outcome.kind) {
    case 'restored':
      stdout.write(`${path} is the content of version ${id} now, ${outcome.sizeBytes} bytes\n`);
      stdout.write(former(outcome));
      return exitStatus.ok;
    case 'no-such-version':
      stderr.write(`${path} has no version ${id}; "hmac-file-server versions ${path}" lists them\n`);
      return exitStatus.failure;
    case 'damaged':
      stderr.write(`version ${id} of ${path} is damaged: its bytes are not those of its digest; nothing was changed\n`);
      return exitStatus.failure;
    default:
      return outcome satisfies never;
  }
}

function former({ replaced }: Extract<RestoreOutcome, { kind: 'restored' }>): string {
  if (replaced === null) return 'nothing had to be replaced\n';
  return `what it replaced is version ${replaced.versionId ?? ''}\n`;
}

export const restoreCommand: Command = {
  name: 'restore',
  arguments: ['PATH', 'ID'],
  summary: 'makes an old content of a file current again',
  details: `ID is one of those that versions lists. What is current becomes a version itself, and no version
is removed; MaxVersions counts again when the server starts. The server must be stopped, and the
user be the one who owns StoreDir.`,
  options: { config: configOption },
  run: restore,
};
