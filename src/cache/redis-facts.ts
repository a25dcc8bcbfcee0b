// What a Redis server says of itself, and whether it can hold the cache.

/** Why a Redis cannot hold the cache. The sentence says what to change. */
export class UnsuitableRedis extends Error {
  override readonly name = 'UnsuitableRedis';
  readonly code = 'REDIS_UNSUITABLE';
}

export interface ServerFacts {
  /** Such as `Redis 7.2.4`. */
  readonly name: string;
  readonly role: string;
  readonly mode: 'standalone' | 'cluster' | 'sentinel';
  /** Why nothing that it says may be believed, with what to change; undefined where there is no reason. */
  readonly fault: string | undefined;
}

/** Reads the reply of INFO. */
export function factsOf(info: string): ServerFacts {
  const lines = info.split(/\r?\n/).filter((line) => line.includes(':') && !line.startsWith('#'));
  const facts = new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
  const valkey = facts.get('valkey_version');
  const version = valkey ?? facts.get('redis_version') ?? '0';
  const name = `${valkey ? 'Valkey' : 'Redis'} ${version}`;
  const mode = facts.get('redis_mode');
  return {
    name,
    role: facts.get('role') ?? '',
    mode: mode === 'cluster' || mode === 'sentinel' ? mode : 'standalone',
    fault: faultOf(name, version, facts.get('maxmemory_policy') ?? 'noeviction'),
  };
}

function faultOf(name: string, version: string, policy: string): string | undefined {
  if (Number.parseInt(version, 10) < 7)
    return `Espelho needs Redis or Valkey 7.0 or newer; REDIS_URL leads to ${name}.`;
  if (policy.startsWith('allkeys-'))
    return `Redis runs with maxmemory-policy ${policy}, which may evict what the freshness of reads rests on; set it to volatile-lfu.`;
  return undefined;
}

/** Why a server refuses us, or we it, with what to change; undefined where `error` tells of neither. */
export function refusalIn(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (/\b(WRONGPASS|NOAUTH|NOPERM)\b/.test(error.message))
    return 'Redis refuses the user or password in REDIS_URL; correct it.';
  const code = 'code' in error ? String(error.code) : '';
  if (!UNTRUSTED.test(code)) return undefined;
  return `The certificate of Redis is not trusted (${code}): set NODE_EXTRA_CA_CERTS to the file of the authority that signed it, and name the hosts in REDIS_URL as the certificate does.`;
}

/** Node's words for a certificate that does not fit. */
const UNTRUSTED = /^(UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|CERT_|ERR_TLS_CERT_|HOSTNAME_MISMATCH)/;
