/** nginx in front of the server, as deploy/nginx has it: by TCP and by the unix socket. */

import assert from 'node:assert/strict';
import { bufferedBodies, nginx } from './support/proxy-process.ts';
import { testProxy } from './support/proxy-suite.ts';

for (const transport of ['tcp', 'unix'] as const) {
  testProxy({
    name: `nginx, to the server by ${transport}`,
    prepare: nginx(),
    transport,
    assertUnbuffered: (proxy) => assert.deepEqual(bufferedBodies(proxy), []),
  });
}
