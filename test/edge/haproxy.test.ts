/** haproxy in front of the server, as deploy/haproxy has it: with X-Forwarded-For, and with the PROXY protocol instead. */

import { haproxy } from './support/proxy-process.ts';
import { testProxy } from './support/proxy-suite.ts';

testProxy({ name: 'haproxy with X-Forwarded-For', prepare: haproxy() });
testProxy({
  name: 'haproxy with the PROXY protocol',
  prepare: haproxy([
    ['option forwardfor', ''],
    [' pool-purge-delay', ' send-proxy-v2 pool-purge-delay'],
  ]),
  keepsConnections: false,
});
