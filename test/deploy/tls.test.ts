// A gateway in production, over TLS to both stores with certificates of an authority of one's own, as the operator of
// `docs/security.md` starts it.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Embedded, openEmbedded } from '../../src/embedded/index.js';
import { onFreePort } from '../../src/embedded/port.js';
import { eventually } from '../support/eventually.js';
import { type RedisServer, startRedisServer } from '../support/redis.js';

let folder: string;
let servers: Embedded;
let redis: RedisServer;
let psql: postgres.Sql;
let tlsPort: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'espelho-test-tls-'));
  await chmod(folder, 0o755);
  await makeCertificates();
  const at = (name: string) => join(folder, name);
  const tls = [
    '--tls-cert-file',
    at('server.crt'),
    '--tls-key-file',
    at('server.key'),
    '--tls-ca-cert-file',
    at('ca.crt'),
  ];
  redis = await onFreePort(async (port) => {
    tlsPort = port;
    return startRedisServer(['--tls-port', String(port), '--tls-auth-clients', 'no', ...tls]);
  });
  servers = await openEmbedded(join(folder, 'home'), { redis: false });
  psql = postgres(servers.databaseUrl, { max: 1, onnotice: () => {} });
  const [place] = await psql<{ data_directory: string }[]>`SHOW data_directory`;
  const owner = await stat(place?.data_directory ?? '');
  await copyFile(at('server.key'), at('postgres.key'));
  await chown(at('postgres.key'), owner.uid, owner.gid);
  await chmod(at('postgres.key'), 0o600);
  await psql.unsafe(`ALTER SYSTEM SET ssl_cert_file = '${at('server.crt')}'`);
  await psql.unsafe(`ALTER SYSTEM SET ssl_key_file = '${at('postgres.key')}'`);
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

/** An authority, and a certificate by it for the name localhost. */
async function makeCertificates(): Promise<void> {
  const openssl = (...args: string[]) => promisify(execFile)('openssl', args, { cwd: folder });
  const days = ['-days', '2', '-nodes', '-newkey', 'rsa:2048'];
  await openssl('req', '-x509', ...days, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=test authority');
  await openssl(
    ...['req', '-x509', ...days, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-keyout', 'server.key', '-out', 'server.crt'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-addext', 'basicConstraints=CA:FALSE'],
  );
}

function start(env: NodeJS.ProcessEnv): ChildProcess {
  const database = new URL(servers.databaseUrl);
  database.hostname = 'localhost';
  database.searchParams.set('sslmode', 'verify-full');
  return spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL('../../src/cli/index.ts', import.meta.url)), 'serve'],
    {
      env: {
        PATH: process.env.PATH,
        NODE_ENV: 'production',
        PORT: '0',
        ESPELHO_HOME: join(folder, 'gateway'),
        DATABASE_URL: database.href,
        REDIS_URL: `rediss://localhost:${tlsPort}`,
        ESPELHO_TOKEN_PEPPER: 'a pepper for tests, with more than 32 characters',
        ESPELHO_MASTER_KEY: '0123456789abcdef'.repeat(4),
        ESPELHO_DEMO: '1',
        ESPELHO_DOCUMENTS: 'any',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
}

async function stop(gateway: ChildProcess): Promise<void> {
  if (gateway.exitCode !== null || gateway.signalCode !== null) return;
  gateway.kill('SIGTERM');
  await once(gateway, 'exit');
}

/** The URL of a gateway that is ready, or all that it said before it ended. */
function outcome(gateway: ChildProcess): Promise<{ url?: string; said: string; code?: number | null }> {
  return new Promise((resolve) => {
    let said = '';
    const listen = (chunk: Buffer) => {
      said += chunk;
      const [, url] = /ready at (http:\/\/\S+)\/graphql/.exec(said) ?? [];
      if (url) resolve({ url, said });
    };
    gateway.stdout?.on('data', listen);
    gateway.stderr?.on('data', listen);
    gateway.once('exit', (code) => resolve({ said, code }));
  });
}

it('serves over TLS alone, and again after its sessions were ended', async () => {
  const gateway = start({ NODE_EXTRA_CA_CERTS: join(folder, 'ca.crt') });
  try {
    const { url, said } = await outcome(gateway);
    expect(url, said).toBeDefined();
    const ask = async () => {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: '{ menu(key: "main", locale: "en") { title } }' }),
      });
      return (await response.json()) as { data?: { menu: { title: string } | null } | null };
    };
    expect((await ask()).data?.menu?.title).toEqual(expect.any(String));
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
    await stop(gateway);
  }
});

it('does not start where the certificate is of an authority that nobody told it of', async () => {
  const gateway = start({});
  try {
    expect(await outcome(gateway)).toEqual({
      code: 1,
      said: expect.stringMatching(/^The certificate of Postgres is not trusted \(\w+\): set NODE_EXTRA_CA_CERTS/),
    });
  } finally {
    await stop(gateway);
  }
});
