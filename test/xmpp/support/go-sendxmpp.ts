/** go-sendxmpp as a client: finds the service, uploads one file under its own name, and sends the URL to its own account. */

import { runClient } from './run-client.ts';
import type { Account } from './xmpp-server.ts';

export async function sendFile({ jid, password, port }: Account, file: string): Promise<void> {
  const account = ['-u', jid, '-p', password, '-j', `127.0.0.1:${port}`];
  // It wants TLS and gets a certificate that nobody signed.
  const command = ['go-sendxmpp', ...account, '--no-tls-verify', '--http-upload', file, jid] as const;
  await runClient({ command, debianPackage: 'go-sendxmpp' });
}
