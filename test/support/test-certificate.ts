/** The certificates in test/data/tls, as files that a server reads: copies, so that a test can replace them. */

import { chmodSync, copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './project-root.ts';
import type { TomlSettings } from './server-process.ts';

export type CertificateName = 'first' | 'second';

export function tlsData(file: string): string {
  return join(projectRoot, 'test/data/tls', file);
}

/** What clients trust. */
export const trustedCertificates: readonly string[] = ['first.pem', 'second.pem'].map((file) =>
  readFileSync(tlsData(file), 'utf8'),
);

/** Puts the certificate and its key into the folder, in the place of what is there. */
export function installCertificate(folder: string, name: CertificateName): void {
  for (const kind of ['pem', 'key']) copyFileSync(tlsData(`${name}.${kind}`), join(folder, `server.${kind}`));
  chmodSync(join(folder, 'server.key'), 0o600);
}

/** The settings for what `installCertificate` puts there. */
export function tlsSettings(folder: string): TomlSettings {
  return { TLSCertFile: join(folder, 'server.pem'), TLSKeyFile: join(folder, 'server.key') };
}
