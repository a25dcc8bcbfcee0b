// An authority of a test's own, and a certificate by it for the name localhost.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Certificates {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** Makes them in `folder`, by openssl. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const openssl = (...args: string[]) => promisify(execFile)('openssl', args, { cwd: folder });
  const days = ['-days', '2', '-nodes', '-newkey', 'rsa:2048'];
  await openssl('req', '-x509', ...days, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=test authority');
  await openssl(
    ...['req', '-x509', ...days, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-keyout', 'server.key', '-out', 'server.crt'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-addext', 'basicConstraints=CA:FALSE'],
  );
  const at = (name: string) => join(folder, name);
  return { authority: at('ca.crt'), certificate: at('server.crt'), key: at('server.key') };
}

/** The settings by which a Redis server bears the certificate; who connects needs none. */
export const redisTls = ({ authority, certificate, key }: Certificates): readonly string[] => [
  ...['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', authority],
  ...['--tls-auth-clients', 'no'],
];
