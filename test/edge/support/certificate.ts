/** Certificates that sign themselves, made by openssl for one test. */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The name that the shipped configurations of proxies serve. */
export const SERVER_NAME = 'files.example.org';

export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  /** Both in one file, as haproxy reads them. */
  readonly bothFile: string;
  /** What a client is to trust. */
  readonly pem: string;
}

/** Writes a certificate for SERVER_NAME and its key into the folder; `name` tells several apart. */
export function makeCertificate(folder: string, name = 'server'): Certificate {
  const certFile = join(folder, `${name}.pem`);
  const keyFile = join(folder, `${name}.key`);
  const bothFile = join(folder, `${name}.both.pem`);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  const subject = ['-subj', `/CN=${SERVER_NAME}`, '-addext', `subjectAltName=DNS:${SERVER_NAME},IP:127.0.0.1`];
  execFileSync('openssl', ['req', '-x509', ...key, '-out', certFile, '-days', '2', ...subject], { stdio: 'pipe' });
  const pem = readFileSync(certFile, 'utf8');
  writeFileSync(bothFile, pem + readFileSync(keyFile, 'utf8'), { mode: 0o600 });
  return { certFile, keyFile, bothFile, pem };
}
