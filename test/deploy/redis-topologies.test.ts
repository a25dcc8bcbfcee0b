// A gateway in production on a Redis Cluster and behind Sentinel: over TLS alone, as the users of `deploy/redis`, before and
// after a master has gone.
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onFreePort } from '../../src/embedded/port.js';
import { startCluster } from '../support/cluster.js';
import { createDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { type RedisServer, startRedisServer } from '../support/redis.js';
import { startWatched } from '../support/sentinel.js';
import { type Certificates, makeCertificates, redisTls } from './certificates.js';
import { startProduction } from './production.js';

const PASSWORD = randomBytes(16).toString('hex');
const LOGIN = `espelho:${PASSWORD}@`;
/** Through whom the test itself looks and meddles. */
const TESTER = `user tester on >${PASSWORD} ~* &* +@all`;

let folder: string;
let certificates: Certificates;
const tlsPorts = new Map<RedisServer, number>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'espelho-test-topologies-'));
  await chmod(folder, 0o755);
  certificates = await makeCertificates(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 20 }));

const deployed = (name: string) => readFile(new URL(`../../deploy/redis/${name}`, import.meta.url), 'utf8');

/** The users of a file of `deploy/redis`, switched on as its operator does: each with a password. */
const usersOf = async (name: string) =>
  (await deployed(name)).replace(/^(user (?!default)\w+) (?:on|off) /gm, `$1 on >${PASSWORD} `).trim();

/** A server that speaks TLS to clients, replicas and nodes. Until `lockDown` the test may do in it what it likes. */
async function startTlsServer(settings: readonly string[] = []): Promise<RedisServer> {
  const acl = join(folder, `users-${randomBytes(4).toString('hex')}.acl`);
  const open = (await usersOf('users.acl')).replace(/^user default .*$/m, 'user default on nopass ~* &* +@all');
  await writeFile(acl, `${open}\n${TESTER}\n`);
  return onFreePort(async (port) => {
    const everywhere = ['--tls-replication', 'yes', '--tls-cluster', 'yes', ...redisTls(certificates)];
    const named = ['--replica-announce-ip', 'localhost', '--masteruser', 'replica', '--masterauth', PASSWORD];
    const secured = ['--tls-port', String(port), '--aclfile', acl, ...everywhere, ...named];
    const server = await startRedisServer([...settings, ...secured]);
    tlsPorts.set(server, port);
    return server;
  });
}

/** From now on nobody may do more than the users of `deploy/` may; replicas log in anew. */
async function lockDown(servers: readonly RedisServer[]): Promise<void> {
  for (const { cli } of servers) {
    const [, acl = ''] = (await cli.config('GET', 'aclfile')) as string[];
    await writeFile(acl, `${await usersOf('users.acl')}\n${TESTER}\n`);
    Object.assign(cli.options, { username: 'tester', password: PASSWORD }); // for when it connects anew
    await cli.call('ACL', 'LOAD');
    await cli.call('AUTH', 'tester', PASSWORD);
    await cli.call('CLIENT', 'KILL', 'TYPE', 'replica');
  }
  for (const { cli } of servers) {
    await eventually(async () => {
      const told = await cli.info('replication');
      return !told.includes('role:slave') || told.includes('master_link_status:up');
    }, 60_000);
  }
}

/** Who is connected to a server as a gateway, and by which of its ports. */
async function clientsAt(server: RedisServer): Promise<{ by: string; port: 'TLS' | 'plain' }[]> {
  const lines = String(await server.cli.call('CLIENT', 'LIST')).split('\n');
  return lines.flatMap((line) => {
    const [, port, by] = / laddr=\S+:(\d+) .* user=(espelho) /.exec(line) ?? [];
    return by ? [{ by, port: Number(port) === tlsPorts.get(server) ? ('TLS' as const) : ('plain' as const) }] : [];
  });
}

/** The answer to `query`, as text, with its trace. */
async function ask(url: string | undefined, token: string | undefined, query: string): Promise<string> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-cache-trace': '1',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query }),
  });
  return response.text();
}

const RECEIPT = 'fragment R on SaveEnvironmentPayload { receipt { visible } }';

interface Topology {
  readonly hosts: string;
  readonly url: (login: string, hosts: string) => string;
  readonly masters: readonly RedisServer[];
  readonly replicas: readonly RedisServer[];
  readonly close: () => Promise<void>;
}

async function cluster(): Promise<Topology> {
  const named = ['--cluster-announce-hostname', 'localhost', '--cluster-preferred-endpoint-type', 'hostname'];
  const { nodes, close } = await startCluster(named, startTlsServer);
  const [masters, replicas] = [nodes.slice(0, 3), nodes.slice(3)];
  return {
    hosts: masters.map((node) => `localhost:${tlsPorts.get(node)}`).join(','),
    url: (login, hosts) => `rediss+cluster://${login}${hosts}`,
    masters,
    replicas,
    close,
  };
}

async function watched(): Promise<Topology> {
  const sentinelUser = (await usersOf('sentinel.acl')).trim();
  const {
    master,
    replica,
    tlsPorts: ports,
    close,
  } = await startWatched({
    start: startTlsServer,
    host: 'localhost',
    portOf: (server) => tlsPorts.get(server) ?? 0,
    settings: (tlsPort) => [
      `tls-port ${tlsPort}`,
      'tls-replication yes',
      `tls-cert-file ${certificates.certificate}`,
      `tls-key-file ${certificates.key}`,
      `tls-ca-cert-file ${certificates.authority}`,
      'tls-auth-clients no',
      'sentinel resolve-hostnames yes',
      'sentinel announce-hostnames yes',
      'sentinel announce-ip localhost',
      'sentinel auth-user espelho sentinel',
      `sentinel auth-pass espelho ${PASSWORD}`,
      sentinelUser,
    ],
  });
  const query = `?sentinelUsername=espelho&sentinelPassword=${PASSWORD}`;
  return {
    hosts: ports.map((port) => `localhost:${port}`).join(','),
    url: (login, hosts) => `rediss+sentinel://${login}${hosts}/espelho${query}`,
    masters: [master],
    replicas: [replica],
    close,
  };
}

describe.each([
  ['a Redis Cluster', cluster],
  ['a master that Sentinel watches', watched],
])('on %s', (_, open) => {
  let topology: Topology;
  let database: Awaited<ReturnType<typeof createDatabase>>;
  beforeAll(async () => {
    topology = await open();
    await lockDown([...topology.masters, ...topology.replicas]);
    database = await createDatabase();
  }, 240_000);
  afterAll(async () => {
    await database?.close();
    await topology?.close();
  });

  const start = (env: NodeJS.ProcessEnv = {}) =>
    startProduction({
      ESPELHO_HOME: join(folder, 'gateway'),
      DATABASE_URL: database.url,
      REDIS_URL: topology.url(LOGIN, topology.hosts),
      NODE_EXTRA_CA_CERTS: certificates.authority,
      ...env,
    });

  it('reads and writes, by TLS alone, and goes on when another master takes over', async () => {
    const { url, said, stop } = await start();
    try {
      expect(url, said).toBeDefined();
      const [, token = ''] = /token for back-office: (\S+)/.exec(said) ?? [];
      const works = async () => {
        const saved = await ask(url, token, `mutation { saveEnvironment(key: "x", public: true) { ...R } } ${RECEIPT}`);
        const read = await ask(url, undefined, '{ menu(key: "main", locale: "en") { title } }');
        return saved.includes('"visible":true') && read.includes('"outcome":"HIT"');
      };
      await eventually(works);
      const clients = (await Promise.all(topology.masters.map(clientsAt))).flat();
      expect(clients.length).toBeGreaterThan(1);
      for (const { by, port } of clients) expect([by, port]).toEqual(['espelho', 'TLS']);

      const [master] = topology.masters;
      await master?.freeze();
      await eventually(async () => {
        const told = await Promise.all(topology.replicas.map(({ cli }) => cli.info('replication')));
        return told.some((info) => info.includes('role:master'));
      }, 60_000);
      await eventually(works, 60_000);
      await master?.thaw();
      await eventually(
        async () => /role:slave.*link_status:up/s.test((await master?.cli.info('replication')) ?? ''),
        60_000,
      );
    } finally {
      await stop();
    }
  }, 240_000);

  it('does not start where nobody told it of the authority of the certificates', async () => {
    const { said, code, stop } = await start({ NODE_EXTRA_CA_CERTS: '' });
    await stop();
    expect(code, said).toBe(1);
    expect(said).toMatch(/^The certificate of Redis is not trusted \(\w+\): set NODE_EXTRA_CA_CERTS/m);
  }, 180_000);

  it('does not start by a wrong password', async () => {
    const { said, code, stop } = await start({ REDIS_URL: topology.url('espelho:wrong@', topology.hosts) });
    await stop();
    expect([code, said]).toEqual([1, expect.stringMatching(/^Redis refuses the user or password in REDIS_URL/m)]);
  }, 180_000);
});
