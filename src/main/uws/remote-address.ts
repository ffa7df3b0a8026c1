/** Client addresses as people and lists of addresses write them. */

import type { HttpResponse } from 'uWebSockets.js';

const MAPPED_PREFIX = '0000:0000:0000:0000:0000:ffff:';

/**
 * The library writes IPv6 in full (`0000:…:0001`), and IPv4 clients of an IPv6 socket as mapped addresses. Gives IPv4
 * in dotted form and IPv6 in its canonical form (RFC 5952); the empty text of a unix socket stays.
 */
export function readableAddress(text: string): string {
  if (!text.includes(':')) return text;
  if (text.startsWith(MAPPED_PREFIX)) return mappedAddress(text.slice(MAPPED_PREFIX.length));
  return compress(text.split(':').map((group) => group.replace(/^0+(?=.)/, '')));
}

function mappedAddress(groups: string): string {
  const bits = Number.parseInt(groups.replace(':', ''), 16);
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join('.');
}

/** The longest run of two or more zero groups becomes `::`, the first one of several. */
function compress(groups: readonly string[]): string {
  let best = { start: 0, length: 1 };
  let start = 0;
  for (let index = 0; index <= groups.length; index += 1) {
    if (index < groups.length && groups[index] === '0') continue;
    if (index - start > best.length) best = { start, length: index - start };
    start = index + 1;
  }
  if (best.length < 2) return groups.join(':');
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.length).join(':')}`;
}

/** The source in the last PROXY head on the connection, whoever sent it; empty without one. */
export function proxiedAddressOf(res: HttpResponse): string {
  return readableAddress(Buffer.from(res.getProxiedRemoteAddressAsText()).toString('latin1'));
}

/** Asks the socket, which costs a system call; the response must not be over. */
export function remoteAddressOf(res: HttpResponse): string {
  return readableAddress(Buffer.from(res.getRemoteAddressAsText()).toString('latin1'));
}
