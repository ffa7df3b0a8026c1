/** `serve`: runs the server. The default command. */

import { DEFAULT_CONFIG_FILE } from '../config/load-config.ts';
import { type Command, configOption } from './command.ts';

export const serveCommand: Command = {
  name: 'serve',
  arguments: [],
  summary: 'runs the server; this is the default',
  details: 'SIGTERM and SIGINT stop it when running transfers are done, SIGHUP reads the configuration again.',
  options: { config: configOption },
  run: ({ options }, { serve, environment, cwd }) =>
    serve({ configFile: options.get('config') ?? DEFAULT_CONFIG_FILE, environment, cwd }),
};
