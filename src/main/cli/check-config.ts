/** `check-config`: names every mistake, or prints the settings in effect. Starts nothing and creates nothing. */

import { formatProblems } from '../config/config-problem.ts';
import { describeConfig, redactSecret } from '../config/describe-config.ts';
import { DEFAULT_CONFIG_FILE, loadConfig } from '../config/load-config.ts';
import { readGeneratedSecret, SecretFileError, secretFileOf } from '../config/secret-file.ts';
import { type Command, configOption, exitStatus } from './command.ts';

/** What `Secret = (not set)` leads to. */
function describeGeneratedSecret(storeDir: string): string {
  const path = secretFileOf(storeDir);
  const secret = readGeneratedSecret(storeDir);
  return secret === null
    ? `Secret: the first start makes one and keeps it in ${path}\n`
    : `Secret: generated earlier, in ${path} (${redactSecret(secret)})\n`;
}

export const checkConfigCommand: Command = {
  name: 'check-config',
  arguments: [],
  summary: 'names every mistake in the configuration, or prints the settings in effect',
  details: 'Exit status 0 when the server would accept the configuration, 78 otherwise. Secrets are not shown.',
  options: { config: configOption },
  run: async ({ options }, { stdout, stderr, environment, cwd }) => {
    const file = options.get('config') ?? DEFAULT_CONFIG_FILE;
    const loaded = loadConfig({ file, environment, cwd });
    if (!loaded.ok) {
      stderr.write(formatProblems(loaded.problems));
      return exitStatus.configuration;
    }
    const { config } = loaded;
    try {
      const secret = config.secret === null ? `\n${describeGeneratedSecret(config.storeDir)}` : '';
      stdout.write(`${describeConfig(loaded)}${secret}`);
    } catch (error) {
      if (!(error instanceof SecretFileError)) throw error;
      stderr.write(`${error.message}\n`);
      return exitStatus.configuration;
    }
    for (const { message } of config.warnings) stderr.write(`warning: ${message}\n`);
    stderr.write(`${file}: no mistakes\n`);
    return exitStatus.ok;
  },
};
