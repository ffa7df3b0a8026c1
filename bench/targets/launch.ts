/** How an installed server is started: the first line of its executable says with which environment and options of node. */

import { readFileSync } from 'node:fs';

export interface Launch {
  readonly environment: Readonly<Record<string, string>>;
  readonly nodeOptions: readonly string[];
}

const START = '#!/usr/bin/env -S ';

/** Of an executable without such a line: nothing in particular. */
export function readLaunch(executable: string): Launch {
  const [line = ''] = readFileSync(executable, 'utf8').split('\n', 1);
  const words = line.startsWith(START) ? line.slice(START.length).split(' ') : ['node'];
  const node = words.indexOf('node');
  const variables = words.slice(0, node).map((word) => word.split('=', 2));
  return {
    environment: Object.fromEntries(variables.map(([name = '', value = '']) => [name, value])),
    nodeOptions: words.slice(node + 1),
  };
}
