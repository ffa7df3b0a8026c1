/** The head of the PROXY protocol, version 2 (haproxy, doc/proxy-protocol.txt §2.2): what a proxy says of its client. */

import { isIPv4 } from 'node:net';

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const VERSION_AND_COMMAND = 0x21;
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;

/** Says that the connection comes from `source`; full IPv6 without `::`, or IPv4. */
export function proxyHead(source: string): Buffer {
  const addresses = isIPv4(source)
    ? Buffer.from([...source.split('.').map(Number), 127, 0, 0, 1])
    : Buffer.concat([Buffer.from(source.split(':').map(inFull).join(''), 'hex'), Buffer.alloc(16)]);
  const ports = Buffer.from([0x12, 0x67, 0x1f, 0x90]);
  const family = isIPv4(source) ? TCP_OVER_IPV4 : TCP_OVER_IPV6;
  const length = addresses.length + ports.length;
  const head = Buffer.from([VERSION_AND_COMMAND, family, length >> 8, length & 0xff]);
  return Buffer.concat([SIGNATURE, head, addresses, ports]);
}

function inFull(group: string): string {
  return group.padStart(4, '0');
}
