/** A Prosody of its own: Debian's program and modules, configuration and data in a temporary folder, clients on loopback. */

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificate } from './certificate.ts';
import { documentedBlock } from './documented-block.ts';
import { freePort, giveAway, makeFolder, UnprivilegedProgram } from './unprivileged.ts';
import type { XmppServer } from './xmpp-server.ts';

/** A domain whose upload service is a block of docs/xmpp.md. */
export interface ProsodyDomain {
  readonly domain: string;
  readonly block: string;
}

export interface ProsodyOptions {
  readonly domains: readonly ProsodyDomain[];
  /** Of the file server. */
  readonly origin: string;
  readonly secret: string;
}

const COMMUNITY_MODULE = '/usr/lib/prosody/modules/mod_http_upload_external';
const START_TIMEOUT_MS = 20_000;

export async function startProsody({ domains, origin, secret }: ProsodyOptions): Promise<XmppServer> {
  if (!existsSync(COMMUNITY_MODULE)) throw new Error(`${COMMUNITY_MODULE} is missing: apt-get install prosody-modules`);
  const folder = makeFolder('prosody');
  const port = await freePort();
  const { keyFile, certificateFile } = makeCertificate(folder);
  const file = join(folder, 'prosody.cfg.lua');
  const hosts = domains.map(
    ({ domain, block }) => `VirtualHost "${domain}"\n${documentedBlock(block, { domain, origin, secret })}`,
  );
  writeFileSync(
    file,
    `pidfile = "${folder}/prosody.pid"
data_path = "${folder}"
log = { info = "*console" }
interfaces = { "127.0.0.1" }
c2s_ports = { ${port} }
modules_enabled = { "roster", "saslauth", "tls", "disco", "register_ibr" }
modules_disabled = { "s2s", "posix", "offline" }
allow_registration = true
c2s_require_encryption = false
authentication = "internal_hashed"
ssl = { key = "${keyFile}", certificate = "${certificateFile}" }
${hosts.join('\n')}`,
  );
  giveAway(file);
  const program = UnprivilegedProgram.start({
    folder,
    command: ['prosody', '--config', file, '-F'],
    debianPackage: 'prosody',
  });
  try {
    await program.says(`Activated service 'c2s' on [127.0.0.1]:${port}`, START_TIMEOUT_MS);
  } catch (error) {
    await program.stop();
    throw error;
  }
  return { port, stop: () => program.stop() };
}
