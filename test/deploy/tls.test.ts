// A gateway in production, over TLS to both stores with certificates of an authority of one's own, as the operator of
// `docs/security.md` starts it.
import { chmod, chown, copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Embedded, openEmbedded } from '../../src/embedded/index.js';
import { onFreePort } from '../../src/embedded/port.js';
import { eventually } from '../support/eventually.js';
import { type RedisServer, startRedisServer } from '../support/redis.js';
import { type Certificates, makeCertificates, redisTls } from './certificates.js';
import { startProduction } from './production.js';

let folder: string;
let certificates: Certificates;
let servers: Embedded;
let redis: RedisServer;
let psql: postgres.Sql;
let tlsPort: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'espelho-test-tls-'));
  await chmod(folder, 0o755);
  certificates = await makeCertificates(folder);
  redis = await onFreePort(async (port) => {
    tlsPort = port;
    return startRedisServer(['--tls-port', String(port), ...redisTls(certificates)]);
  });
  servers = await openEmbedded(join(folder, 'home'), { redis: false });
  psql = postgres(servers.databaseUrl, { max: 1, onnotice: () => {} });
  const [place] = await psql<{ data_directory: string }[]>`SHOW data_directory`;
  const owner = await stat(place?.data_directory ?? '');
  const key = join(folder, 'postgres.key');
  await copyFile(certificates.key, key);
  await chown(key, owner.uid, owner.gid);
  await chmod(key, 0o600);
  await psql.unsafe(`ALTER SYSTEM SET ssl_cert_file = '${certificates.certificate}'`);
  await psql.unsafe(`ALTER SYSTEM SET ssl_key_file = '${key}'`);
  await psql.unsafe('ALTER SYSTEM SET ssl = on');
  await psql`SELECT pg_reload_conf()`;
  await eventually(async () => (await psql`SHOW ssl`)[0]?.ssl === 'on');
});
afterAll(async () => {
  await psql?.end({ timeout: 1 });
  await servers?.close();
  await redis?.close();
  if (servers && !servers.where.data.startsWith(folder)) await rm(servers.where.data, { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true, maxRetries: 20 });
});

async function start(env: NodeJS.ProcessEnv) {
  const database = new URL(servers.databaseUrl);
  database.hostname = 'localhost';
  database.searchParams.set('sslmode', 'verify-full');
  return startProduction({
    ESPELHO_HOME: join(folder, 'gateway'),
    DATABASE_URL: database.href,
    REDIS_URL: `rediss://localhost:${tlsPort}`,
    ...env,
  });
}

it('serves over TLS alone, and again after its sessions were ended', async () => {
  const { url, said, stop } = await start({ NODE_EXTRA_CA_CERTS: certificates.authority });
  try {
    expect(url, said).toBeDefined();
    const ask = async () => {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: '{ menu(key: "main", locale: "en") { title } }' }),
      });
      return (await response.json()) as { data?: { menu: { title: string } | null } | null };
    };
    await eventually(async () => (await ask()).data?.menu?.title !== undefined);
    const sessions = await psql<{ ssl: boolean }[]>`
      SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name LIKE 'espelho%'`;
    expect(sessions.length).toBeGreaterThan(1);
    expect(sessions.every(({ ssl }) => ssl)).toBe(true);
    await psql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'espelho%'`;
    await eventually(async () => {
      const ready = await fetch(`${url}/readyz`);
      return ready.ok && (await ask()).data?.menu?.title !== undefined;
    });
  } finally {
    await stop();
  }
}, 180_000);

it('does not start where the certificate is of an authority that nobody told it of', async () => {
  const { said, code, stop } = await start({});
  try {
    expect(code, said).toBe(1);
    expect(said).toMatch(/^The certificate of Postgres is not trusted \(\w+\): set NODE_EXTRA_CA_CERTS/);
  } finally {
    await stop();
  }
}, 180_000);

it('does not start where only the certificate of Redis is not trusted', async () => {
  const { said, code, stop } = await start({ DATABASE_URL: servers.databaseUrl });
  try {
    expect(code, said).toBe(1);
    expect(said).toMatch(/^The certificate of Redis is not trusted \(\w+\): set NODE_EXTRA_CA_CERTS/m);
  } finally {
    await stop();
  }
}, 180_000);

it('does not start where the certificate is for another name', async () => {
  const REDIS_URL = `rediss://127.0.0.1:${tlsPort}`;
  const { said, code, stop } = await start({ NODE_EXTRA_CA_CERTS: certificates.authority, REDIS_URL });
  try {
    expect(code, said).toBe(1);
    expect(said).toMatch(
      /^The certificate of Redis is not trusted \(ERR_TLS_CERT_ALTNAME_INVALID\): .* name the hosts/m,
    );
  } finally {
    await stop();
  }
}, 180_000);
