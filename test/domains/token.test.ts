// What tokens promise, asked through GraphQL and at the door.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { digestOf, isSecret, makeSecret, TokenUses } from '../../src/resolvers/index.js';
import { type Api, PEPPER, startApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { redisCli } from '../support/redis.js';

const officer = {
  subject: 'officer',
  scopes: ['tokens:read', 'tokens:write', 'tokens:introspect', 'tokens:grant'],
};

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const issue = async (input: object, caller: object = officer) =>
  (
    await api.ask(
      `mutation ($input: IssueTokenInput!) { issueToken(input: $input) {
        ... on IssueTokenPayload { secret receipt { visible } token { id name prefix subject scopes status expiresAt version } }
        ... on UserError { __typename code path message } ... on ForbiddenError { requiredScope } } }`,
      caller,
      { input: { name: 'test', subject: 'ana', scopes: ['statements:read'], ...input } },
    )
  ).data.issueToken;

const revoke = async (id: string) =>
  (
    await api.ask(
      `mutation ($id: ID!) { revokeToken(id: $id) {
        ... on RevokeTokenPayload { receipt { visible } token { status } } ... on UserError { __typename path } } }`,
      officer,
      { id },
    )
  ).data.revokeToken;

const introspect = async (token: string, caller: object = officer) =>
  await api.ask(`query ($token: String!) { introspectToken(token: $token) { active scope sub exp iat jti } }`, caller, {
    token,
  });

const enter = (token: string, gateway = api.gateway) =>
  gateway.contextOf({ authorization: `Bearer ${token}`, posted: true });

const INACTIVE = { active: false, scope: null, sub: null, exp: null, iat: null, jti: null };

describe('a token', () => {
  it('lets its bearer in with its scopes, and its secret is shown once', async () => {
    const { secret, token, receipt } = await issue({});
    expect(receipt.visible).toBe(true);
    expect(isSecret(secret)).toBe(true);
    expect(secret.startsWith(token.prefix)).toBe(true);
    const { viewer } = await enter(secret);
    expect(viewer).toMatchObject({ subject: 'ana', scopes: new Set(['statements:read']) });
    const { data } = await api.ask(`query ($id: ID!) { token(id: $id) { name status scopes } }`, officer, {
      id: token.id,
    });
    expect(data.token).toEqual({ name: 'test', status: 'ACTIVE', scopes: ['statements:read'] });
  });

  it('is described by introspection as RFC 7662 has it', async () => {
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const { secret, token } = await issue({ scopes: ['menus:read', 'flags:read'], expiresAt });
    const { data } = await introspect(secret);
    expect(data.introspectToken).toMatchObject({
      active: true,
      scope: 'menus:read flags:read',
      sub: 'ana',
      exp: String(Math.floor(Date.parse(expiresAt) / 1_000)),
      jti: token.id,
    });
  });

  it('that is revoked, expired, unknown or mistyped looks the same', async () => {
    const revoked = await issue({});
    await revoke(revoked.token.id);
    const expiring = await issue({ expiresAt: new Date(Date.now() + 60_000).toISOString() });
    const unknown = `${revoked.secret.slice(0, -1)}${revoked.secret.endsWith('0') ? '1' : '0'}`;
    for (const secret of [revoked.secret, unknown, 'garbage', '']) {
      expect((await introspect(secret)).data.introspectToken).toEqual(INACTIVE);
      await expect(enter(secret)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    }
    const later = { ...officer, nowMs: Date.now() + 61_000 };
    expect((await introspect(expiring.secret, later)).data.introspectToken).toEqual(INACTIVE);
    expect((await introspect(expiring.secret)).data.introspectToken.active).toBe(true);
  });

  it('that is revoked is refused by every gateway before the revocation is acknowledged', async () => {
    const other = await startApi({ database: api.database });
    try {
      const { secret, token } = await issue({});
      await enter(secret, other.gateway);
      expect(await revoke(token.id)).toEqual({ receipt: { visible: true }, token: { status: 'REVOKED' } });
      await expect(enter(secret, other.gateway)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
      await expect(enter(secret)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    } finally {
      await other.close();
    }
  });

  it('is accepted from the moment its issue is acknowledged, though it was asked for before and not known', async () => {
    const other = await startApi({ database: api.database });
    try {
      for (let at = 0; at < 5; at++) {
        const { secret } = await issue({});
        expect((await enter(secret, other.gateway)).viewer.subject).toBe('ana');
      }
    } finally {
      await other.close();
    }
  });

  it('lives in the cache no longer than until it expires', async () => {
    const { secret, token } = await issue({ expiresAt: new Date(Date.now() + 200_000).toISOString() });
    const [row] = await api.database.psql`SELECT digest FROM tokens WHERE prefix = ${token.prefix}`;
    const { cache } = api.gateway.services;
    await eventually(async () => {
      await enter(secret);
      return (await cache.inspect('token', row?.digest))?.state === 'fresh';
    });
    const redis = redisCli(inject('redisUrl'));
    const keys = await redis.keys(`{${api.database.installation}.*}e:token:*`);
    const lives = await Promise.all(keys.map((key) => redis.pttl(key)));
    const [life = 0] = await Promise.all(keys.filter((key) => key.includes(row?.digest)).map((key) => redis.pttl(key)));
    redis.disconnect();
    expect(life).toBeGreaterThan(0);
    expect(life).toBeLessThanOrEqual(200_000);
    expect(Math.max(...lives)).toBeLessThanOrEqual(300_000);
  });

  it('tells when it was last used', async () => {
    const { secret, token } = await issue({});
    const lastUsedAt = async () =>
      (await api.ask(`query ($id: ID!) { token(id: $id) { lastUsedAt } }`, officer, { id: token.id })).data.token
        .lastUsedAt;
    expect(await lastUsedAt()).toBeNull();
    await enter(secret);
    expect(Date.parse(await lastUsedAt())).toBeGreaterThan(Date.now() - 60_000);
    await api.gateway.services.tokenUses.flush();
    const [noted] = await api.database.psql`SELECT count(*)::int AS count FROM token_uses`;
    expect(noted?.count).toBeGreaterThan(0);
  });

  it('has its last use written at most once a minute, whichever gateways it is used on', async () => {
    const { token } = await issue({});
    const id = Buffer.from(token.id, 'base64url').toString().slice('Token:'.length);
    const written = async () =>
      (await api.database.psql`SELECT xmin::text AS xmin, last_used_at FROM token_uses WHERE token_id = ${id}`).map(
        ({ xmin, last_used_at }) => [xmin, last_used_at.getTime()],
      )[0];
    const [here, there] = [new TokenUses(api.gateway.services.query), new TokenUses(api.gateway.services.query)];
    const startMs = Date.parse('2026-03-01T12:00:00Z');
    const use = async (uses: TokenUses, afterMs: number) => {
      uses.note(id, startMs + afterMs);
      await uses.flush();
    };
    await use(here, 0);
    const first = await written();
    expect(first?.[1]).toBe(startMs);
    for (const afterMs of [1, 1_000, 59_999]) {
      await use(here, afterMs);
      await use(there, afterMs);
    }
    expect(await written()).toEqual(first);
    await use(here, 60_000);
    const second = await written();
    expect(second?.[1]).toBe(startMs + 60_000);
    expect(second?.[0]).not.toBe(first?.[0]);
  });

  it('does not change when it is used: its version stays, and its entry stands', async () => {
    const { secret, token } = await issue({});
    await enter(secret);
    await introspect(secret);
    await api.gateway.services.tokenUses.flush();
    const { data } = await api.ask(`query ($id: ID!) { token(id: $id) { version lastUsedAt } }`, officer, token);
    expect(data.token.version).toBe(token.version);
    expect(data.token.lastUsedAt).not.toBeNull();
  });

  it('that is obviously wrong is refused without a look-up: its checksum gives it away', async () => {
    const { secret } = await issue({});
    await enter(secret);
    const typo = secret.replace(/.$/, (last: string) => (last === '0' ? '1' : '0'));
    const swapped = secret.replace(/(.)(.)$/, '$2$1');
    const wrong = [typo, swapped, secret.slice(1), `${secret}0`, secret.toUpperCase(), 'x'.repeat(200), 'esp_'].filter(
      (each) => each !== secret,
    );
    api.events.length = 0;
    for (const each of wrong) await expect(enter(each)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(api.events.filter(({ kind }) => kind === 'flush' || kind === 'loaded')).toEqual([]);
  });

  it('that is unknown is remembered as such for seconds only', async () => {
    const unknown = makeSecret(randomBytes(32));
    await expect(enter(unknown)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    const redis = redisCli(inject('redisUrl'));
    try {
      const [key = ''] = await eventually(async () => {
        const keys = await redis.keys(`{${api.database.installation}.*}e:token:${digestOf(unknown, PEPPER)}`);
        return keys.length > 0 && keys;
      });
      const life = await redis.pttl(key);
      expect(life).toBeGreaterThan(0);
      expect(life).toBeLessThanOrEqual(10_000);
    } finally {
      redis.disconnect();
    }
  });
});

describe('issuing', () => {
  it('grants only scopes that the issuer has, unless it may grant any', async () => {
    const issuer = { subject: 'clerk', scopes: ['tokens:write', 'menus:read'] };
    expect(await issue({ scopes: ['menus:read'] }, issuer)).toMatchObject({ token: { scopes: ['menus:read'] } });
    expect(await issue({ scopes: ['menus:write'] }, issuer)).toMatchObject({
      __typename: 'ForbiddenError',
      requiredScope: 'tokens:grant',
    });
  });

  it('grants statements:read for the own subject only, unless the issuer may read any', async () => {
    const clerk = { subject: 'clerk', scopes: ['tokens:write', 'statements:read'] };
    expect(await issue({ subject: 'ana' }, clerk)).toMatchObject({ __typename: 'ForbiddenError' });
    expect((await issue({ subject: 'clerk' }, clerk)).token.subject).toBe('clerk');
    const auditor = { ...clerk, scopes: [...clerk.scopes, 'statements:read-any'] };
    expect((await issue({ subject: 'ana' }, auditor)).token.subject).toBe('ana');
  });

  it('refuses unknown scopes, empty names and an expiry in the past', async () => {
    expect(await issue({ scopes: ['everything'] })).toMatchObject({
      __typename: 'ValidationError',
      path: ['input', 'scopes', '0'],
    });
    expect(await issue({ name: ' ' })).toMatchObject({ path: ['input', 'name'] });
    expect(await issue({ expiresAt: '2020-01-01T00:00:00Z' })).toMatchObject({ path: ['input', 'expiresAt'] });
  });
});

it('introspection is refused over GET, and without its scope', async () => {
  const { errors } = await introspect('x', { ...officer, posted: false });
  expect(errors[0]?.code).toBe('BAD_REQUEST');
  expect((await introspect('x', { scopes: ['tokens:read'] })).errors[0]?.code).toBe('FORBIDDEN');
});

it('tokens are listed the newest first, by subject and status', async () => {
  const first = await issue({ subject: 'list' });
  const second = await issue({ subject: 'list' });
  await revoke(first.token.id);
  const list = async (args: string) =>
    (await api.ask(`{ tokens(${args}) { edges { node { id } } pageInfo { hasNextPage endCursor } } }`, officer)).data
      .tokens;
  const ids = (connection: { edges: { node: { id: string } }[] }) => connection.edges.map(({ node }) => node.id);
  expect(ids(await list('subject: "list"'))).toEqual([second.token.id, first.token.id]);
  expect(ids(await list('subject: "list", status: REVOKED'))).toEqual([first.token.id]);
  const page = await list('subject: "list", first: 1');
  expect(page.pageInfo.hasNextPage).toBe(true);
  expect(ids(await list(`subject: "list", first: 1, after: "${page.pageInfo.endCursor}"`))).toEqual([first.token.id]);
  for (const other of [`subject: "other"`, `subject: "list", status: ACTIVE`, '']) {
    const foreign = `{ tokens(${other} after: "${page.pageInfo.endCursor}") { edges { cursor } } }`;
    expect((await api.ask(foreign, officer)).errors[0]?.code).toBe('BAD_REQUEST');
  }
});

it('no secret is anywhere: not in Postgres, not in Redis, not in a trace', async () => {
  const { secret, token } = await issue({});
  const { cache } = await enter(secret);
  const traces = JSON.stringify(cache.trace);
  const digest = (await api.database.psql`SELECT digest FROM tokens WHERE prefix = ${token.prefix}`)[0]?.digest;
  expect(traces).not.toContain(digest);
  expect(traces).toContain(digest.slice(0, 8));
  const redis = redisCli(inject('redisUrl'));
  for (const key of await redis.keys(`{${api.database.installation}.*}*`)) {
    const dump = key.includes('}d:')
      ? await redis.lrange(key, 0, -1)
      : key.endsWith('}f')
        ? []
        : await redis.hgetall(key);
    expect(`${key}${JSON.stringify(dump)}`).not.toContain(secret);
  }
  redis.disconnect();
  const tables = await api.database.psql<
    { name: string }[]
  >`SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`;
  for (const { name } of tables) {
    const [hit] = await api.database.psql.unsafe(
      `SELECT count(*)::int AS count FROM "${name}" AS row WHERE row::text LIKE '%${secret}%'`,
    );
    expect(`${name}: ${hit?.count}`).toBe(`${name}: 0`);
  }
});
