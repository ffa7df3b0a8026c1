/** Commands that look into the store: one thread for their jobs, and errors in words. */

import type { EventPublisher } from '../../shared/events.ts';
import type { UnresolvedConfig } from '../config/config.ts';
import { JobError, JobPool } from '../lanes/job-pool.ts';
import { workerSettingsOf } from '../lanes/worker-settings.ts';
import { StartError } from '../start-error.ts';
import { type CommandInput, type CommandIo, exitStatus } from './command.ts';
import { readCommandConfig } from './command-config.ts';

/** Nobody listens: what a command has to say it says itself. */
export const noEvents: EventPublisher = { publish: () => {}, wants: () => false };

/** Runs jobs on the store of the configuration; answers the exit status that `work` answers, unless the store fails. */
export async function runOnStore(
  input: CommandInput,
  io: CommandIo,
  work: (jobs: JobPool, config: UnresolvedConfig) => Promise<number>,
): Promise<number> {
  const config = readCommandConfig(input, io);
  if (config === null) return exitStatus.configuration;
  const jobs = new JobPool({ settings: workerSettingsOf(config), events: noEvents });
  try {
    return await work(jobs, config);
  } catch (error) {
    if (!(error instanceof JobError || error instanceof StartError)) throw error;
    const store = error instanceof JobError ? `StoreDir ${config.storeDir}: ` : '';
    io.stderr.write(`${store}${error.message}\n`);
    return exitStatus.failure;
  } finally {
    await jobs.stop();
  }
}
