/** The list of proxies that are believed: addresses, networks in CIDR notation (RFC 4632), and a word for unix sockets. */

import { isIPv4, isIPv6 } from 'node:net';
import type { AddressRange, TrustedPeers } from '../../shared/address-range.ts';
import { accepted, type Checked, quote, refused } from './given-value.ts';

/** Stands for the peers of a unix socket, which have no address. */
const UNIX_SOCKET = 'unix';

/** Reads the entries of the list. The message of a refusal names the entry. */
export function parseTrustedPeers(entries: readonly string[]): Checked<TrustedPeers> {
  const ranges: AddressRange[] = [];
  for (const entry of entries) {
    if (entry === UNIX_SOCKET) continue;
    const range = parseRange(entry);
    if (range === null) {
      return refused(`: ${quote(entry)} is no address; write "127.0.0.1", "10.0.0.0/8", "fd00::/8" or "unix"`);
    }
    ranges.push(range);
  }
  return accepted({ ranges, hasUnixSocket: entries.includes(UNIX_SOCKET) });
}

function parseRange(text: string): AddressRange | null {
  const [, address = '', digits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = familyOf(address);
  if (family === null) return null;
  const bits = family === 'ipv4' ? 32 : 128;
  const prefix = digits === undefined ? bits : Number(digits);
  return prefix > bits ? null : { family, address, prefix };
}

/** Zones name an interface of one host, and no network. */
function familyOf(address: string): AddressRange['family'] | null {
  if (isIPv4(address)) return 'ipv4';
  return isIPv6(address) && !address.includes('%') ? 'ipv6' : null;
}
