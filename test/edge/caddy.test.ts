/** Caddy in front of the server, as deploy/caddy has it: by TCP and by the unix socket. */

import { caddy } from './support/proxy-process.ts';
import { testProxy } from './support/proxy-suite.ts';

for (const transport of ['tcp', 'unix'] as const) {
  testProxy({ name: `Caddy, to the server by ${transport}`, prepare: caddy(), transport });
}
