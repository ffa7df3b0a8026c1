/** `init`: writes a configuration file to begin with. */

import { DEFAULT_CONFIG_FILE } from '../config/load-config.ts';
import { writeConfigFile } from '../config/write-config-file.ts';
import { type Command, exitStatus } from './command.ts';

export const initCommand: Command = {
  name: 'init',
  arguments: ['[FILE]'],
  summary: 'writes a commented configuration file with a fresh secret',
  details: 'FILE is config.toml when it is not named. A file that is there stays as it is. Mode 0600.',
  options: {},
  run: async ({ positionals: [file = DEFAULT_CONFIG_FILE] }, { stdout, stderr, cwd }) => {
    const written = writeConfigFile(file, cwd);
    if (!written.ok) {
      stderr.write(`${written.message}\n`);
      return exitStatus.failure;
    }
    const option = file === DEFAULT_CONFIG_FILE ? '' : ` --config ${file}`;
    stdout.write(`wrote ${written.path} with a fresh secret\nstart the server: hmac-file-server serve${option}\n`);
    return exitStatus.ok;
  },
};
