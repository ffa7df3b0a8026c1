/**
 * An ejabberd of its own: Debian's beam files, configuration and data in a temporary folder, clients on loopback. Not by
 * ejabberdctl, which insists on the package's user and on a port mapper for the whole machine.
 */

import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificate } from './certificate.ts';
import { documentedBlock, type Installation } from './documented-block.ts';
import { freePort, giveAway, makeFolder, UnprivilegedProgram } from './unprivileged.ts';
import type { XmppServer } from './xmpp-server.ts';

const START_TIMEOUT_MS = 30_000;

/** Where Debian keeps libraries of Erlang that are not part of it. */
function librariesWithEjabberd(): string {
  const folder = readdirSync('/usr/lib')
    .map((name) => join('/usr/lib', name))
    .find((path) => path.endsWith('-linux-gnu') && readdirSync(path).some((name) => name.startsWith('ejabberd-')));
  if (folder === undefined) throw new Error('ejabberd is missing: apt-get install ejabberd');
  return folder;
}

export async function startEjabberd(installation: Installation): Promise<XmppServer> {
  const libraries = librariesWithEjabberd();
  const folder = makeFolder('ejabberd');
  const port = await freePort();
  const { keyFile, certificateFile } = makeCertificate(folder);
  const file = join(folder, 'ejabberd.yml');
  const upload = documentedBlock('ejabberd', installation);
  writeFileSync(
    file,
    `hosts: [ ${installation.domain} ]
loglevel: info
auth_method: [ internal ]
certfiles: [ ${certificateFile}, ${keyFile} ]
registration_timeout: infinity
acl:
  local: { user_regexp: "" }
access_rules:
  local: { allow: local }
listen:
  - { port: ${port}, ip: "127.0.0.1", module: ejabberd_c2s, starttls: true }
modules:
  mod_disco: {}
  mod_roster: {}
  mod_register: { ip_access: all, access: all, password_strength: 0 }
${upload.replaceAll(/^(?=.)/gm, '  ')}`,
  );
  giveAway(file);
  const program = UnprivilegedProgram.start({
    folder,
    command: ['erl', '-noinput', '-mnesia', 'dir', `"${folder}/database"`, '-s', 'ejabberd'],
    environment: {
      ERL_LIBS: libraries,
      ERL_CRASH_DUMP: '/dev/null',
      EJABBERD_CONFIG_PATH: file,
      EJABBERD_LOG_PATH: join(folder, 'ejabberd.log'),
    },
    debianPackage: 'ejabberd',
  });
  try {
    await program.says(`Start accepting TCP connections at 127.0.0.1:${port}`, START_TIMEOUT_MS);
  } catch (error) {
    await program.stop();
    throw error;
  }
  return { port, stop: () => program.stop() };
}
