// What REDIS_URL says: one server, the nodes of a cluster, or the sentinels that know a master.
import type { RedisOptions } from 'ioredis';
import { UnsuitableRedis } from './redis-facts.js';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export type RedisAddress =
  | { readonly kind: 'single'; readonly server: HostPort; readonly options: RedisOptions }
  /** Nodes to ask for all others. */
  | { readonly kind: 'cluster'; readonly seeds: readonly HostPort[]; readonly options: RedisOptions }
  | { readonly kind: 'sentinel'; readonly sentinels: readonly HostPort[]; readonly options: RedisOptions };

const FORM = /^(rediss?)(?:\+(cluster|sentinel))?:\/\/(?:([^@/]*)@)?([^/?#]+)(?:\/([^?#]*))?(?:\?([^#]*))?$/i;
const PORTS = { single: 6379, cluster: 6379, sentinel: 26379 };

/**
 * Reads `redis://user:password@host:port/db`, `redis+cluster://…@host:port,host:port` or
 * `redis+sentinel://…@host:port,host:port/master-name?sentinelUsername=…&sentinelPassword=…`, each with `rediss` for TLS.
 * @throws {UnsuitableRedis} at anything else; the sentence repeats nothing of it.
 */
export function addressOf(url: string): RedisAddress {
  const [, scheme = '', form, login = '', hosts = '', path = '', query = ''] = FORM.exec(url) ?? [];
  const kind = form === undefined ? 'single' : form.toLowerCase() === 'cluster' ? 'cluster' : 'sentinel';
  const servers = hosts.split(',').map((host) => hostPortOf(host, PORTS[kind]));
  const [server] = servers;
  if (!server) throw unreadable();
  const options: RedisOptions = { ...loginOf(login), ...(scheme.toLowerCase() === 'rediss' && { tls: {} }) };
  if (kind === 'cluster') return { kind, seeds: servers, options };
  if (kind === 'single') return { kind, server, options: { ...options, db: Number(path || '0') } };
  if (path === '') throw unreadable();
  const parameters = new URLSearchParams(query);
  return {
    kind,
    sentinels: servers,
    options: {
      ...options,
      sentinels: servers.map(({ host, port }) => ({ host, port })),
      name: decode(path),
      failoverDetector: true,
      sentinelCommandTimeout: 1_000,
      sentinelReconnectStrategy: () => 10_000,
      ...(options.tls && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
      ...optional('sentinelUsername', parameters.get('sentinelUsername')),
      ...optional('sentinelPassword', parameters.get('sentinelPassword')),
    },
  };
}

function hostPortOf(text: string, port: number): HostPort {
  const url = URL.canParse(`redis://${text}`) ? new URL(`redis://${text}`) : undefined;
  if (!url || url.hostname === '') throw unreadable();
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || port) };
}

function loginOf(login: string): RedisOptions {
  const colon = login.indexOf(':');
  const [username, password] = colon < 0 ? [login, ''] : [login.slice(0, colon), login.slice(colon + 1)];
  return { ...optional('username', decode(username)), ...optional('password', decode(password)) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw unreadable();
  }
}

const optional = <Name extends string>(name: Name, value: string | null) => (value ? { [name]: value } : {});

const unreadable = () =>
  new UnsuitableRedis('REDIS_URL cannot be read; write special characters of the password as %xx.');
