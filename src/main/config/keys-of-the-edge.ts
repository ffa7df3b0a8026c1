/** The keys for what stands in front of the server: proxies, sockets, certificates. */

import { configKey } from './config-key.ts';
import { accepted, type Checked, refused } from './given-value.ts';
import { parseTrustedPeers } from './trusted-peers.ts';
import { andThen, type Check, checkBoolean, checkPath, checkText, checkTexts, integerBetween } from './value-checks.ts';

/** Whoever may write to a unix socket may connect to it; the other bits mean nothing there. */
const checkSocketMode: Check<number> = andThen(checkText, (text) => {
  if (!/^0?[0-7]{3}$/.test(text)) return refused('is no mode; write it as chmod takes it: "0660"');
  const mode = Number.parseInt(text, 8);
  return (mode & 0o600) === 0o600 ? accepted(mode) : refused('keeps the server itself out; write "0600" or more');
});

const checkAccelPrefix: Check<string | null> = andThen(checkText, (path): Checked<string | null> => {
  if (path === '') return accepted(null);
  if (/^\/(?:[\w.~-]+\/)+$/.test(path) && !/\/\.{1,2}\//.test(path)) return accepted(path);
  return refused('is no path of plain names with a slash at both ends; write it as in nginx: "/stored-files/"');
});

const PER_ADDRESS =
  'One client is an IPv4 address, or a /64 of IPv6. Behind a proxy set `TrustedProxies`, or all clients are one: the proxy.';

export const keysOfTheEdge = {
  SocketMode: configKey({
    type: 'string',
    topic: 'Listening',
    unit: 'mode',
    default: { type: 'string', value: '0660' },
    accepts: '`"0600"`, `"0660"`, `"0666"`',
    summary: 'Permissions of the unix socket: who may write to it may connect.',
    notes: 'With `"0660"` put the user of the proxy into the group of the server.',
    check: checkSocketMode,
  }),
  SharedPort: configKey({
    type: 'boolean',
    topic: 'Listening',
    default: { type: 'boolean', value: false },
    accepts: '`true`, `false`',
    summary: 'Lets a second server with the same StoreDir take over without a lost request.',
    notes:
      'The second one is started beside the first, which finishes what it has begun and ends. Both need this setting, and other programs of the same user can then share the port unnoticed. See [operations.md](operations.md#upgrade-without-downtime).',
    check: checkBoolean,
  }),
  TLSCertFile: configKey({
    type: 'string',
    topic: 'Listening',
    unit: 'path',
    default: { type: 'string', value: '' },
    accepts: 'a PEM file: the certificate, then those between it and the root; `""` for no TLS',
    summary: 'Certificate of the public port, which speaks TLS then.',
    notes:
      'SIGHUP reads both files again, also when only their contents are new. Connections from then on get the new certificate, and no request is lost. Switching TLS on or off needs a restart.',
    isReloadable: true,
    check: checkPath,
  }),
  TLSKeyFile: configKey({
    type: 'string',
    topic: 'Listening',
    unit: 'path',
    default: { type: 'string', value: '' },
    accepts: 'a PEM file without a password',
    summary: 'Private key of the certificate.',
    isReloadable: true,
    check: checkPath,
  }),
  TrustedProxies: configKey({
    type: 'array of strings',
    topic: 'Listening',
    unit: 'networks',
    default: { type: 'array', items: [] },
    accepts: '`["127.0.0.1", "10.0.0.0/8", "fd00::/8"]`; `"unix"` for whoever reaches the unix socket',
    summary: "Proxies whose word about the client's address is taken.",
    notes:
      'From these peers, and from nobody else, X-Forwarded-For and the head of the PROXY protocol (version 2) say whose request it is; the first address from the right that is not in the list is the client. Clients must not be able to connect from an address in the list. See [operations.md](operations.md#behind-a-proxy).',
    isReloadable: true,
    check: andThen(checkTexts, parseTrustedPeers),
  }),
  MaxRequestsPerAddress: configKey({
    type: 'integer',
    topic: 'Transfers',
    unit: 'requests',
    default: { type: 'integer', value: 0 },
    accepts: '1 to 1000000; 0 for no limit',
    summary: 'Requests in progress of one client, downloads included, above which further ones are answered 429.',
    notes: PER_ADDRESS,
    isReloadable: true,
    check: integerBetween({ min: 0, max: 1_000_000, unit: 'requests' }),
  }),
  MaxUploadsPerAddress: configKey({
    type: 'integer',
    topic: 'Transfers',
    unit: 'uploads',
    default: { type: 'integer', value: 0 },
    accepts: '1 to 1000000; 0 for no limit',
    summary: 'Uploads in progress of one client above which further ones are answered 429.',
    notes: PER_ADDRESS,
    isReloadable: true,
    check: integerBetween({ min: 0, max: 1_000_000, unit: 'uploads' }),
  }),
  AccelRedirectPrefix: configKey({
    type: 'string',
    topic: 'Transfers',
    unit: 'URL path',
    default: { type: 'string', value: '' },
    accepts: '`"/stored-files/"`, the `internal` location of nginx; `""` for none',
    summary: 'Lets nginx send the files itself, from a location of this name that leads to StoreDir.',
    notes:
      'Answers to peers in `TrustedProxies` name the file (`X-Accel-Redirect`); all others get its bytes. nginx answers with validators of its own, so this cannot be combined with `EnableVersioning`. See [operations.md](operations.md#nginx-sends-the-files-itself).',
    check: checkAccelPrefix,
  }),
} as const;
