/** A certificate that nobody trusts, for clients that insist on TLS towards the XMPP server. */

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { giveAway, requireProgram } from './unprivileged.ts';

export interface Certificate {
  readonly keyFile: string;
  readonly certificateFile: string;
}

export function makeCertificate(folder: string): Certificate {
  requireProgram('openssl', 'openssl');
  const keyFile = join(folder, 'key.pem');
  const certificateFile = join(folder, 'certificate.pem');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  execFileSync('openssl', ['req', '-x509', ...key, '-out', certificateFile, '-days', '2', '-subj', '/CN=test'], {
    stdio: 'ignore',
  });
  for (const file of [keyFile, certificateFile]) giveAway(file);
  return { keyFile, certificateFile };
}
