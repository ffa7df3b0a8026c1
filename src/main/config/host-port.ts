/** Addresses of the form host and port, or a port alone. IPv6 addresses stand in brackets (RFC 3986 §3.2.2). */

import { isIPv4, isIPv6 } from 'node:net';
import { accepted, type Checked, refused } from './given-value.ts';

export interface HostPort {
  /** Without brackets; `::` takes IPv4 as well. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/** Takes every interface, IPv4 and IPv6. */
export const ALL_INTERFACES = '::';

const HOST_NAME =
  /^(?=.{1,253}$)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;

function parsePort(text: string): Checked<number> {
  if (text === '') return refused('has no port after the colon');
  if (!/^\d+$/.test(text)) return refused(`has the port "${text}"; write its number`);
  if (text.length > 5 || Number(text) > 65_535) return refused('has a port above 65535');
  return accepted(Number(text));
}

function parseHost(text: string): Checked<string> {
  if (text === '*') return refused('has the host "*"; for all interfaces write a colon and the port: ":8080"');
  if (/^[\d.]+$/.test(text)) {
    return isIPv4(text) ? accepted(text) : refused(`has the host "${text}", which is no IPv4 address`);
  }
  return HOST_NAME.test(text) ? accepted(text) : refused('has a host that is neither a name nor an address');
}

interface Parts {
  readonly host: string;
  readonly port: string;
}

const LOOKS_LIKE_IPV6 = 'looks like IPv6; write the address in brackets: "[::1]:8080"';

function splitBracketed(text: string): Checked<Parts> {
  const [, host = '', port] = /^\[([^\]]*)\](?::(.*))?$/.exec(text) ?? [];
  if (!isIPv6(host)) return refused('has no IPv6 address in brackets; write "[::1]:8080"');
  return port === undefined ? refused(`has no port; write "[${host}]:8080"`) : accepted({ host, port });
}

function split(text: string, bareHost: string): Checked<Parts> {
  if (/^\d+$/.test(text)) return accepted({ host: bareHost, port: text });
  if (text.startsWith('[')) return splitBracketed(text);
  const colon = text.lastIndexOf(':');
  if (colon === -1) return refused(`has no port; write "${text}:8080"`);
  if (text.indexOf(':') !== colon) return refused(LOOKS_LIKE_IPV6);
  const port = text.slice(colon + 1);
  if (colon === 0) return accepted({ host: ALL_INTERFACES, port });
  const host = parseHost(text.slice(0, colon));
  return host.ok ? accepted({ host: host.value, port }) : host;
}

/**
 * Reads `":8080"` (all interfaces), `"8080"` (`bareHost`), `"127.0.0.1:8080"`, `"[::1]:8080"`, `"localhost:8080"`.
 *
 * The message of a refusal continues a sentence: `has no port; write ...`
 */
export function parseHostPort(text: string, bareHost: string): Checked<HostPort> {
  if (text === '') return refused('is empty; write a port, such as ":8080"');
  if (text.includes('://')) return refused('is a URL; write host and port only, such as "127.0.0.1:8080"');
  const parts = split(text, bareHost);
  if (!parts.ok) return parts;
  const port = parsePort(parts.value.port);
  return port.ok ? accepted({ host: parts.value.host, port: port.value }) : port;
}

/** `127.0.0.1:8080` or `[::1]:8080`. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** True for addresses that stand for every interface. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || (isIPv6(host) && /^[0:]*$/.test(host));
}

/** True when two listeners would (or, for names, might) want the same socket address. */
export function mayCollide(left: HostPort, right: HostPort): boolean {
  if (left.port !== right.port || left.port === 0) return false;
  const areBothAddresses = [left.host, right.host].every((host) => isIPv4(host) || isIPv6(host));
  return !areBothAddresses || left.host === right.host || isWildcard(left.host) || isWildcard(right.host);
}
