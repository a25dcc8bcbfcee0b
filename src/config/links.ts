// Which links to the stores would go over a network in plain text, or to a server that is not known for certain.

import { isIP } from 'node:net';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i;
const ENCRYPTED = new Set(['require', 'verify-ca', 'verify-full']);

/** One sentence for each store that production must not talk to like this. */
export function unsafeLinks({ DATABASE_URL, REDIS_URL, ...env }: NodeJS.ProcessEnv): string[] {
  if (env.NODE_ENV !== 'production' || env.ESPELHO_PLAINTEXT === '1') return [];
  const otherwise = 'or set ESPELHO_PLAINTEXT=1 if nobody can listen on that network.';
  const faults: string[] = [];
  if (DATABASE_URL && isPlainPostgres(DATABASE_URL)) {
    faults.push(
      `DATABASE_URL leads to another host without TLS: add ?sslmode=verify-full, and NODE_EXTRA_CA_CERTS where its certificate is of an authority of your own; ${otherwise}`,
    );
  }
  if (DATABASE_URL && isUncheckedPostgres(DATABASE_URL)) {
    faults.push(
      `DATABASE_URL names its server by an address, which its driver does not look for in a certificate: write the name that the certificate has; ${otherwise}`,
    );
  }
  if (REDIS_URL && isPlainRedis(REDIS_URL)) {
    faults.push(
      `REDIS_URL leads to another host without TLS: begin it with rediss, and set NODE_EXTRA_CA_CERTS where its certificate is of an authority of your own; ${otherwise}`,
    );
  }
  return faults;
}

function isPlainPostgres(text: string): boolean {
  if (!URL.canParse(text)) return false; // a fault of its own
  const { hostname, searchParams } = new URL(text);
  const mode = searchParams.get('sslmode') ?? searchParams.get('ssl') ?? '';
  if (ENCRYPTED.has(mode) || searchParams.get('sslrootcert') === 'system') return false;
  return decodeURIComponent(hostname).split(',').some(isElsewhere);
}

/** The driver takes a certificate for `localhost` where it is given an address. */
function isUncheckedPostgres(text: string): boolean {
  if (!URL.canParse(text) || isPlainPostgres(text)) return false;
  const { hostname, searchParams } = new URL(text);
  if (searchParams.get('sslmode') === 'require') return false; // checks nothing, by intent
  const isAddress = (host: string) => isIP(host.replace(/^\[|\]$/g, '')) !== 0;
  return decodeURIComponent(hostname)
    .split(',')
    .some((host) => isElsewhere(host) && isAddress(host));
}

function isPlainRedis(text: string): boolean {
  const [, scheme = '', hosts = ''] = /^(rediss?)(?:\+\w+)?:\/\/(?:[^@/]*@)?([^/?#]+)/i.exec(text) ?? [];
  if (scheme.toLowerCase() !== 'redis') return false;
  return hosts.split(',').some((host) => isElsewhere(host.replace(/:\d+$/, '')));
}

/** A path is a socket of this machine. */
const isElsewhere = (host: string): boolean => host !== '' && !host.startsWith('/') && !LOOPBACK.test(host);
