// That secrets and tokens are nowhere but in the answers that give them out: a full run of all that touches them, and a
// search through everything that it left behind.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { traceOf } from '../../src/caller.js';
import { startGateway } from '../../src/gateway.js';
import { contextOfEvent, contextOfViewer, introspection, issueToken, SCOPES } from '../../src/resolvers/index.js';
import { codedError, schema } from '../../src/schema/index.js';
import { makeLogger, startServer } from '../../src/server/index.js';
import { espelho } from '../cli/terminal.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { type RedisServer, startRedisServer } from '../support/redis.js';
import { type Dump, dumpOfPostgres, dumpOfRedis, formsOf, placesOf, type Watched, watchRedis } from './planted.js';

const random = () => randomBytes(24).toString('base64url');
const hexKey = () => randomBytes(32).toString('hex');

/** All that must not be found; tokens join as they are issued. */
const planted: Record<string, string> = {
  pepper: `pepper-${random()}`,
  masterKey: hexKey(),
  oldMasterKey: hexKey(),
  wrongMasterKey: hexKey(),
  first: `first-${random()}`,
  second: `second "quoted" \\ ${random()}/+é\n${random()}`,
  third: `third-${random()}`,
  dry: `dry-${random()}`,
  keyed: `keyed-${random()}`,
  other: `other-${random()}`,
  misplaced: `misplaced-${random()}`,
  surrogate: `surrogate-${random()}`,
  oversized: `oversized-${random()}`,
  literal: `literal-${random()}`,
  mistyped: `mistyped-${random()}`,
  unreachable: `unreachable-${random()}`,
  failing: `failing-${random()}`,
  behind: `behind-${random()}`,
};
const of = (name: string): string => planted[name] ?? '';

let database: TestDatabase;
let redis: RedisServer;
let watched: Watched;
const logged: string[] = [];
/** Everything that was told but for the answers that give a secret out. */
const told: Dump[] = [];

beforeAll(async () => {
  database = await createDatabase();
  redis = await startRedisServer();
  watched = await watchRedis(redis.port);
}, 60_000);
afterAll(async () => {
  watched.close();
  await redis.close();
  await database.close();
});

async function serve(masterKey: string, oldMasterKey?: string) {
  const logger = makeLogger({ level: 'trace', write: (line) => logged.push(line) });
  const gateway = await startGateway({
    databaseUrl: database.url,
    redisUrl: redis.url,
    pepper: of('pepper'),
    masterKey,
    oldMasterKey,
    partitions: undefined,
    ttlMs: new Map(),
    logger,
  });
  await eventually(() => gateway.services.cache.status().trusted);
  const server = await startServer({
    host: '127.0.0.1',
    port: 0,
    portIsExplicit: true,
    schema,
    contextOf: gateway.contextOf,
    codedError,
    callerOfEvent: contextOfEvent,
    traceOf,
    readiness: gateway.readiness,
    introspect: introspection,
    logger,
    production: false,
  });
  return {
    gateway,
    url: server.url,
    close: async () => {
      await server.close();
      await gateway.close();
    },
  };
}

type Site = Awaited<ReturnType<typeof serve>>;

interface Sent {
  readonly authorization: string;
  /** The answer gives a secret out: it is not kept for the search. */
  readonly givesOut?: boolean;
}

/** Posts an operation; gives its data. */
async function post({ url }: Site, query: string, variables: object, { authorization, givesOut }: Sent) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization, 'x-cache-trace': '1' },
    body: JSON.stringify({ query, variables }),
  });
  const text = await response.text();
  if (!givesOut) told.push({ place: `answer to ${query.slice(0, 60)} ${text.slice(0, 200)}`, text });
  return { status: response.status, ...(JSON.parse(text) as { data?: Record<string, unknown>; errors?: unknown[] }) };
}

const ERRORS = '... on UserError { code message path }';
const SECRET = 'receipt { version visible dryRun } securityValue { name versions { number state createdBy } }';
const PUT = `mutation ($name: String!, $value: String!, $options: WriteOptions) {
  putSecret(name: $name, value: $value, options: $options) { __typename ${ERRORS} ... on PutSecretPayload { ${SECRET} } } }`;
const ROTATE = `mutation ($name: String!, $value: String!, $overlapSeconds: Int!, $options: WriteOptions) {
  rotateSecret(name: $name, value: $value, overlapSeconds: $overlapSeconds, options: $options) {
    __typename ${ERRORS} ... on RotateSecretPayload { ${SECRET} } } }`;
const RESTORE = `mutation ($name: String!, $version: Int!) { restoreSecret(name: $name, version: $version) {
  __typename ${ERRORS} ... on RestoreSecretPayload { ${SECRET} } } }`;
const DESTROY = `mutation ($name: String!, $version: Int!) { destroySecretVersion(name: $name, version: $version) {
  __typename ${ERRORS} ... on DestroySecretVersionPayload { ${SECRET} } } }`;
const REVEAL = `mutation ($name: String!, $version: Int) { revealSecret(name: $name, version: $version, reason: "search") {
  __typename ${ERRORS} ... on RevealSecretPayload { value version } } }`;
const TOKEN = 'receipt { version } token { id name prefix subject scopes status }';
const ISSUE = `mutation ($options: WriteOptions) {
  issueToken(input: { name: "planted", subject: "ana", scopes: ["menus:read"] }, options: $options) {
    __typename ${ERRORS} ... on IssueTokenPayload { ${TOKEN} secret } } }`;
const ROTATE_TOKEN = `mutation ($id: ID!, $options: WriteOptions) { rotateToken(id: $id, overlapSeconds: 60, options: $options) {
  __typename ${ERRORS} ... on RotateTokenPayload { ${TOKEN} secret replaced { id } } } }`;
const REVOKE = `mutation ($id: ID!) { revokeToken(id: $id) { __typename ${ERRORS} ... on RevokeTokenPayload { ${TOKEN} } } }`;
const REVOKE_ALL = `mutation { revokeTokensOf(subject: "ana") { __typename ${ERRORS} ... on RevokeTokensOfPayload { revoked } } }`;
const INTROSPECT = 'query ($token: String!) { introspectToken(token: $token) { active sub scope jti } }';

const valueIn = (data: Record<string, unknown> | undefined): unknown =>
  (data?.revealSecret as { readonly value?: string } | undefined)?.value;

async function runSecrets(site: Site, sent: Sent) {
  const put = (name: string, value: string, options: object = {}) => post(site, PUT, { name, value, options }, sent);
  const revealed = async (name: string, version?: number) =>
    valueIn((await post(site, REVEAL, { name, version }, { ...sent, givesOut: true })).data);
  await put('key', of('first'));
  await post(site, ROTATE, { name: 'key', value: of('second'), overlapSeconds: 3_600 }, sent);
  await put('key', of('third'), { reason: 'all is well' });
  expect([await revealed('key'), await revealed('key', 2), await revealed('key', 1)]).toEqual([
    of('third'),
    of('second'),
    of('first'),
  ]);
  await put('key', of('dry'), { dryRun: true });
  await put('keyed', of('keyed'), { idempotencyKey: 'once' });
  await put('keyed', of('keyed'), { idempotencyKey: 'once' });
  await put('keyed', of('other'), { idempotencyKey: 'once' });
  await put('key', of('other'), { expectedVersion: '1' });
  await post(site, ROTATE, { name: 'none', value: of('other'), overlapSeconds: 1 }, sent);
  await post(site, ROTATE, { name: 'key', value: of('other'), overlapSeconds: -1 }, sent);
  await put(`${of('misplaced')}!`, of('misplaced'));
  await put('key', `${of('surrogate')}\ud83d`);
  await put('key', of('oversized').repeat(3_000));
  await post(site, RESTORE, { name: 'key', version: 1 }, sent);
  await post(site, DESTROY, { name: 'key', version: 2 }, sent);
  await post(site, REVEAL, { name: 'key', version: 2 }, sent);
  await post(site, REVEAL, { name: `${of('misplaced')} ?` }, sent);
  const listed =
    '{ securityValues { edges { node { name versions { number } } } } changes(first: 100) { edges { node { before after reason } } } }';
  await post(site, listed, {}, sent);
}

async function runMistakes(site: Site, sent: Sent) {
  const literal = (rest: string) =>
    post(site, `mutation { putSecret(name: "literal", value: "${of('literal')}"${rest} }`, {}, sent);
  await literal(') { __typename }');
  await literal(') { noSuchField }');
  await literal(', noSuchArgument: 1) { __typename }');
  await literal('');
  await post(site, `mutation { putSecret(name: "x", value "${of('literal')}") { __typename } }`, {}, sent);
  await post(site, PUT, { name: 'mistyped', value: { of: of('mistyped') } }, sent);
  await post(site, PUT, { name: 'mistyped', value: [of('mistyped')] }, sent);
  await post(site, PUT, { name: 'mistyped', value: 'x', options: of('mistyped') }, sent);
  await post(site, PUT, { name: 'mistyped', value: 'x', options: { expectedVersion: of('mistyped') } }, sent);
  await post(
    site,
    `mutation { putSecret(name: "mistyped", value: { of: "${of('mistyped')}" }) { __typename } }`,
    {},
    sent,
  );
  await post(
    site,
    `mutation { putSecret(name: "mistyped", value: "x", rotateEveryDays: "${of('mistyped')}") { __typename } }`,
    {},
    sent,
  );
}

async function runTokens(site: Site, sent: Sent) {
  const secretOf = async (query: string, variables: object, name: string) => {
    const { data } = await post(site, query, variables, { ...sent, givesOut: true });
    const [result] = Object.values(data ?? {}) as { secret: string; token: { id: string } }[];
    // The prefix may be seen.
    planted[name] = (result?.secret ?? '').slice(12);
    return { secret: result?.secret ?? '', id: result?.token.id ?? '' };
  };
  const first = await secretOf(ISSUE, {}, 'token');
  const keyed = await secretOf(ISSUE, { options: { idempotencyKey: 'token' } }, 'keyed token');
  await post(site, ISSUE, { options: { idempotencyKey: 'token' } }, sent);
  await post(site, ISSUE, { options: { dryRun: true } }, sent);
  const rotated = await secretOf(
    ROTATE_TOKEN,
    { id: first.id, options: { idempotencyKey: 'rotate' } },
    'rotated token',
  );
  await post(site, ROTATE_TOKEN, { id: first.id, options: { idempotencyKey: 'rotate' } }, sent);
  await post(site, ROTATE_TOKEN, { id: first.id }, sent);
  for (const { secret } of [first, keyed, rotated]) {
    const altered = `${secret.slice(0, -1)}${secret.endsWith('0') ? '1' : '0'}`;
    for (const token of [secret, altered, `${secret}x`, secret.slice(4)]) {
      await post(site, INTROSPECT, { token }, sent);
      await post(site, '{ viewer { subject } }', {}, { authorization: `Bearer ${token}` });
      await post(site, '{ viewer { subject } }', {}, { authorization: `Basic ${token}` });
      const query = encodeURIComponent(`{ introspectToken(token: "${token}") { active } }`);
      const got = await fetch(`${site.url}/graphql?query=${query}`, { headers: { authorization: sent.authorization } });
      told.push({ place: 'answer to GET', text: await got.text() });
      const form = await fetch(`${site.url}/introspect`, {
        method: 'POST',
        headers: { authorization: sent.authorization, 'content-type': 'application/x-www-form-urlencoded' },
        body: `token=${token}`,
      });
      told.push({ place: 'answer to /introspect', text: await form.text() });
      const path = await fetch(`${site.url}/${token}?access_token=${token}`);
      told.push({ place: 'answer to a wrong path', text: await path.text() });
    }
  }
  await post(site, REVOKE, { id: first.id }, sent);
  await post(site, REVOKE_ALL, {}, sent);
  await post(site, '{ tokens { edges { node { id name prefix } } } }', {}, sent);
}

async function runFailures(site: Site, sent: Sent) {
  const { psql } = database;
  const wrong = await serve(of('wrongMasterKey'));
  await post(wrong, REVEAL, { name: 'key' }, sent);
  await wrong.close();
  await psql`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no: %', NEW; END $$`;
  await psql`CREATE TRIGGER refuse BEFORE INSERT ON secret_versions FOR EACH ROW EXECUTE FUNCTION refuse()`;
  await post(site, PUT, { name: 'failing', value: of('failing') }, sent);
  await psql`DROP TRIGGER refuse ON secret_versions`;
  await psql`ALTER TABLE secret_versions RENAME TO hidden`;
  await post(site, PUT, { name: 'failing', value: of('failing') }, sent);
  await psql`ALTER TABLE hidden RENAME TO secret_versions`;
  await redis.freeze();
  await post(site, PUT, { name: 'unreachable', value: of('unreachable') }, sent);
  await redis.thaw();
  await eventually(() => site.gateway.services.cache.status().trusted);
  await post(site, PUT, { name: 'damaged', value: of('other') }, sent);
  await psql`UPDATE secret_versions SET ciphertext = set_byte(ciphertext, 20, get_byte(ciphertext, 20) # 1)
    WHERE name = 'damaged'`;
  await psql`SELECT cache_barrier('30 seconds')`;
  await post(site, REVEAL, { name: 'damaged' }, sent);
}

async function runRekey() {
  const env = (key: string, old: string) => ({
    DATABASE_URL: database.url,
    ESPELHO_HOME: '/nonexistent',
    ESPELHO_MASTER_KEY: key,
    ESPELHO_MASTER_KEY_OLD: old,
    LOG_LEVEL: 'trace',
  });
  const before = await serve(of('oldMasterKey'));
  const authorization = await tokenFor(before, 'before');
  await post(before, PUT, { name: 'behind', value: of('behind') }, { authorization });
  await before.close();
  for (const args of [
    [of('masterKey'), of('wrongMasterKey')],
    [of('masterKey'), of('masterKey')],
    [of('masterKey'), of('masterKey').slice(1)],
    [of('masterKey'), of('oldMasterKey')],
  ] as const) {
    const { out, err } = await espelho(env(...args), 'rekey');
    told.push({ place: 'espelho rekey', text: out + err });
  }
}

async function tokenFor({ gateway }: Site, name: string): Promise<string> {
  const viewer = { subject: 'admin', scopes: new Set(SCOPES), tokenId: null };
  const { secret } = await issueToken(contextOfViewer(gateway.services, viewer), {
    name,
    subject: name,
    scopes: [...SCOPES],
  });
  planted[`bearer ${name}`] = secret.slice(12);
  return `Bearer ${secret}`;
}

async function dumps(): Promise<Dump[]> {
  const marker = `end of ${random()}`;
  await redis.cli.echo(marker);
  await eventually(() => watched.text().includes(marker));
  return [
    ...told,
    { place: 'log', text: logged.join('') },
    { place: 'commands to Redis', text: watched.text() },
    ...(await dumpOfRedis(redis.cli)),
    ...(await dumpOfPostgres(database.psql)),
  ];
}

describe('after a full run of all that touches secrets and tokens', () => {
  beforeAll(async () => {
    const site = await serve(of('masterKey'), of('oldMasterKey'));
    const sent = { authorization: await tokenFor(site, 'admin') };
    await runSecrets(site, sent);
    await runMistakes(site, sent);
    await runTokens(site, sent);
    await runFailures(site, sent);
    await runRekey();
    // What is in the cache when it is dumped.
    for (const name of ['key', 'keyed', 'behind']) {
      await post(site, REVEAL, { name }, { ...sent, givesOut: true });
    }
    await site.close();
  }, 120_000);

  it('none of them is found in Redis, in Postgres, in a log, in an error or in what a command prints', async () => {
    const all = await dumps();
    const told = all.map(({ text }) => text).join('\n');
    // The run was one: its traces are there.
    for (const trace of [
      'all is well',
      'rotateSecret',
      'destroySecretVersion',
      'rekeySecret',
      'ConflictError',
      'answered',
    ]) {
      expect(told).toContain(trace);
    }
    expect(Object.values(planted).filter((secret) => secret.length < 20)).toEqual([]);
    expect(placesOf(planted, all)).toEqual([]);
  });

  const kinds = formsOf('a form').length;
  it('this search finds one in every form and every place', async () => {
    const secret = `control-${random()}`;
    const forms = formsOf(secret);
    expect(forms.length).toBeGreaterThan(kinds / 2);
    const shifted = [0, 1, 2].map((offset) => Buffer.from(`${'x'.repeat(offset)}${secret}yz`).toString('base64'));
    const encoded = [
      secret,
      `<${secret}>`,
      secret.slice(3, 40),
      ...shifted,
      ...shifted.map((text) => Buffer.from(text, 'base64').toString('base64url')),
      Buffer.from(secret).toString('hex'),
      Buffer.from(secret).toString('hex').toUpperCase(),
      Buffer.from(shifted[1] ?? '').toString('hex'),
    ];
    const clean = await dumps();
    expect(placesOf({ secret }, clean)).toEqual([]);
    for (const [at, text] of encoded.entries()) {
      expect([at, placesOf({ secret }, [{ place: 'here', text: `before ${text} behind` }])]).toEqual([
        at,
        ['secret: here'],
      ]);
    }
    const { cli } = redis;
    await cli.set('t', shifted[1] ?? '');
    await cli.hset('h', 'field', secret);
    await cli.rpush('l', secret);
    await cli.sadd('s', Buffer.from(secret).toString('hex'));
    await cli.zadd('z', 1, secret);
    await cli.xadd('x', '*', 'field', shifted[2] ?? '');
    await cli.set(`k:${secret}`, '1');
    const { psql } = database;
    await psql`INSERT INTO changes (id, actor, action, domain, key, reason)
      VALUES (gen_random_uuid(), 'x', 'x', 'TOKEN', 'x', ${shifted[0] ?? ''})`;
    await psql`UPDATE secret_versions SET ciphertext = ${Buffer.from(`..${secret}..`)}::bytea WHERE name = 'behind'`;
    logged.push(`{"careless":"${secret}"}\n`);
    const found = placesOf({ secret }, await dumps()).map((place) => place.replace(secret, '…'));
    expect(found.sort()).toEqual(
      [
        'secret: commands to Redis',
        'secret: log',
        'secret: postgres public.changes',
        'secret: postgres public.secret_versions',
        'secret: redis hash h',
        'secret: redis list l',
        'secret: redis set s',
        'secret: redis stream x',
        'secret: redis string k:…',
        'secret: redis string t',
        'secret: redis zset z',
      ].sort(),
    );
  });
});
