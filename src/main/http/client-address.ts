/**
 * Whose request it is when proxies stand in between. What a proxy says of the address behind it is taken from trusted
 * peers only, so a client can claim nothing: read from our end, the first address that no trusted proxy vouches for is
 * the client's.
 */

import { BlockList, isIPv4, isIPv6, SocketAddress } from 'node:net';
import type { TrustedPeers } from '../../shared/address-range.ts';
import type { Exchange } from './exchange.ts';
import type { FieldLine } from './field-line.ts';
import { listMembers } from './fields.ts';

/** The other end of a connection. */
export interface Peer {
  /** IPv4 or canonical IPv6; empty on a unix socket. */
  readonly address: string;
  /** Source in the head of the PROXY protocol, which anybody can send; empty without one. */
  readonly announced: string;
}

export class TrustedProxies {
  /** Nobody is trusted, so nobody has to be asked. */
  readonly isEmpty: boolean;
  private readonly ranges = new BlockList();
  private readonly hasUnixSocket: boolean;

  constructor({ ranges, hasUnixSocket }: TrustedPeers) {
    this.isEmpty = ranges.length === 0 && !hasUnixSocket;
    this.hasUnixSocket = hasUnixSocket;
    for (const { address, prefix, family } of ranges) this.ranges.addSubnet(address, prefix, family);
  }

  /** `address` as in `Peer`. */
  includes(address: string): boolean {
    if (address === '') return this.hasUnixSocket;
    return this.ranges.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
  }
}

/**
 * The client's address. Behind the peer stands what the PROXY head says, behind that the members of X-Forwarded-For from
 * right to left. A trusted proxy that names nobody, or something that is no address, is itself the client.
 */
export function clientAddress(peer: Peer, fields: readonly FieldLine[], proxies: TrustedProxies): string {
  let client = peer.address;
  if (!proxies.includes(client)) return client;
  if (peer.announced !== '') {
    client = peer.announced;
    if (!proxies.includes(client)) return client;
  }
  for (const member of listMembers(fields, 'x-forwarded-for').toReversed()) {
    const address = forwardedAddress(member);
    if (address === null) return client;
    client = address;
    if (!proxies.includes(client)) return client;
  }
  return client;
}

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** The address in a member of X-Forwarded-For, which some proxies write with a port; null when there is none. */
export function forwardedAddress(member: string): string | null {
  const [, bracketed, withPort] = /^(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)$/.exec(member) ?? [];
  const text = bracketed ?? withPort ?? member;
  if (isIPv4(text)) return text;
  if (!isIPv6(text) || text.includes('%')) return null;
  const { address } = new SocketAddress({ address: text, family: 'ipv6' });
  return MAPPED_IPV4.exec(address)?.[1] ?? address;
}

/** Whom an exchange counts for; null: for nobody, because it has no address or that of a proxy that names no client. */
export function clientOf(exchange: Pick<Exchange, 'isFromProxyItself' | 'lookUpRemote'>): string | null {
  return exchange.isFromProxyItself ? null : clientNetwork(exchange.lookUpRemote());
}

/** Groups of an IPv6 address that name a network; whoever has one has all addresses in it (RFC 6177). */
const NETWORK_GROUPS = 4;

/** What counts as one client: an IPv4 address, or the /64 of an IPv6 address; null: there is no address. */
export function clientNetwork(address: string): string | null {
  if (address === '') return null;
  if (!address.includes(':')) return address;
  const [first = [], last = []] = address.split('::').map((part) => (part === '' ? [] : part.split(':')));
  const zeros = Array<string>(2 * NETWORK_GROUPS - first.length - last.length).fill('0');
  return [...first, ...zeros, ...last].slice(0, NETWORK_GROUPS).join(':');
}
