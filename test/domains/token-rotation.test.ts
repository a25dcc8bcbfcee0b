// What rotating a token and revoking all of a subject promise, asked through GraphQL and at the doors of two gateways.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/resolvers/index.js';
import { type Api, type Caller, PEPPER, startApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';

const officer = { subject: 'officer', scopes: ['tokens:read', 'tokens:write', 'tokens:grant'] };

let api: Api;
let other: Api;
beforeAll(async () => {
  api = await startApi();
  other = await startApi({ database: api.database });
});
afterAll(async () => {
  await other.close();
  await api.close();
});

const TOKEN = 'id name prefix subject scopes status expiresAt replacedBy version';

const issue = async (input: object = {}) =>
  (
    await api.ask(
      `mutation ($input: IssueTokenInput!) { issueToken(input: $input) {
        ... on IssueTokenPayload { secret token { ${TOKEN} } } } }`,
      officer,
      { input: { name: 'test', subject: 'ana', scopes: ['statements:read', 'menus:read'], ...input } },
    )
  ).data.issueToken;

const rotate = async (id: string, args: object = {}, caller: Caller = officer) =>
  (
    await api.ask(
      `mutation ($id: ID!, $overlapSeconds: Int, $expiresAt: DateTime, $options: WriteOptions) {
        rotateToken(id: $id, overlapSeconds: $overlapSeconds, expiresAt: $expiresAt, options: $options) {
          ... on RotateTokenPayload { receipt { visible version } secret token { ${TOKEN} } replaced { ${TOKEN} } }
          ... on UserError { __typename message path }
          ... on ConflictError { currentVersion } ... on ForbiddenError { requiredScope } } }`,
      caller,
      { id, ...args },
    )
  ).data.rotateToken;

const revokeOf = async (subject: string, options: object | null = null, caller: Caller = officer) =>
  (
    await api.ask(
      `mutation ($subject: String!, $options: WriteOptions) { revokeTokensOf(subject: $subject, options: $options) {
        ... on RevokeTokensOfPayload { revoked receipt { visible version } }
        ... on UserError { __typename path } ... on ConflictError { currentVersion } } }`,
      caller,
      { subject, options },
    )
  ).data.revokeTokensOf;

const revoke = async (id: string) =>
  await api.ask(`mutation ($id: ID!) { revokeToken(id: $id) { __typename } }`, officer, { id });

const read = async (id: string, caller: Caller = officer) =>
  (await api.ask(`query ($id: ID!) { token(id: $id) { ${TOKEN} } }`, caller, { id })).data.token;

const enter = ({ gateway }: Api, secret: string) =>
  gateway.contextOf({ authorization: `Bearer ${secret}`, posted: true });

/** At both gateways, which have read the token before. */
const letIn = async (secret: string) => {
  for (const each of [api, other]) expect((await enter(each, secret)).viewer.subject).toBeTruthy();
};
const keptOut = async (secret: string) => {
  for (const each of [other, api]) await expect(enter(each, secret)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
};

describe('a rotated token', () => {
  it('gives name, subject, scopes and expiry to another one, and is itself refused everywhere', async () => {
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const old = await issue({ expiresAt });
    await letIn(old.secret);
    const { receipt, secret, token, replaced } = await rotate(old.token.id);
    expect(receipt).toEqual({ visible: true, version: replaced.version });
    await keptOut(old.secret);
    await letIn(secret);
    const { name, subject, scopes } = old.token;
    expect(token).toMatchObject({ name, subject, scopes, expiresAt, status: 'ACTIVE', replacedBy: null });
    expect(token.id).not.toBe(old.token.id);
    expect(secret.startsWith(token.prefix)).toBe(true);
    expect(replaced).toMatchObject({ id: old.token.id, status: 'REVOKED', replacedBy: token.id });
  });

  it('is accepted beside its successor for the overlap, and not a moment longer', async () => {
    const old = await issue();
    await letIn(old.secret);
    const beforeMs = Date.now();
    const { secret, replaced, token } = await rotate(old.token.id, { overlapSeconds: 600 });
    await letIn(old.secret);
    await letIn(secret);
    expect(replaced).toMatchObject({ status: 'ACTIVE', replacedBy: token.id });
    expect(token.expiresAt).toBeNull();
    const endMs = Date.parse(replaced.expiresAt);
    expect(endMs - beforeMs).toBeGreaterThanOrEqual(600_000);
    expect(endMs).toBeLessThanOrEqual(Date.now() + 600_000);
    expect((await read(old.token.id, { ...officer, nowMs: endMs - 1 })).status).toBe('ACTIVE');
    expect((await read(old.token.id, { ...officer, nowMs: endMs })).status).toBe('EXPIRED');
    const { expired } = await expire(old.secret, endMs);
    expect(expired).toBe(true);
  });

  it('lives no longer for an overlap than it was going to', async () => {
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    const old = await issue({ expiresAt });
    const later = new Date(Date.now() + 9_000_000).toISOString();
    const { replaced, token } = await rotate(old.token.id, { overlapSeconds: 86_400, expiresAt: later });
    expect([replaced.expiresAt, token.expiresAt]).toEqual([expiresAt, later]);
  });

  it('is kept in the cache no longer than its overlap', async () => {
    const old = await issue();
    await letIn(old.secret);
    await rotate(old.token.id, { overlapSeconds: 100 });
    const { cache } = api.gateway.services;
    const entry = await eventually(async () => {
      await letIn(old.secret);
      const found = await cache.inspect('token', digestOf(old.secret, PEPPER));
      return found?.state === 'fresh' && found;
    });
    expect(entry.ttlMs).toBeGreaterThan(0);
    expect(entry.ttlMs).toBeLessThanOrEqual(100_000);
  });

  it('that is revoked in its overlap is refused at once, while its successor is not', async () => {
    const old = await issue();
    const { secret } = await rotate(old.token.id, { overlapSeconds: 600 });
    await letIn(old.secret);
    await revoke(old.token.id);
    await keptOut(old.secret);
    await letIn(secret);
  });

  it('is rotated once: the second try names its successor, which can be rotated in turn', async () => {
    const old = await issue();
    const { token } = await rotate(old.token.id, { overlapSeconds: 600 });
    const again = await rotate(old.token.id, { overlapSeconds: 600 });
    expect(again).toMatchObject({ __typename: 'ValidationError', path: ['id'] });
    expect(again.message).toContain(token.id);
    expect((await rotate(token.id)).token.status).toBe('ACTIVE');
  });

  it('has one successor, however many rotate it at a time', async () => {
    const old = await issue();
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => rotate(old.token.id)));
    expect(outcomes.filter(({ secret }) => secret)).toHaveLength(1);
    expect(outcomes.filter(({ __typename }) => __typename === 'ValidationError')).toHaveLength(3);
  });

  it('must be active: revoked and expired ones are not brought back', async () => {
    const revoked = await issue();
    await revoke(revoked.token.id);
    const expiring = await issue({ expiresAt: new Date(Date.now() + 60_000).toISOString() });
    const later = { ...officer, nowMs: Date.now() + 61_000 };
    for (const refused of [await rotate(revoked.token.id), await rotate(expiring.token.id, {}, later)]) {
      expect(refused).toMatchObject({ __typename: 'ValidationError', path: ['id'] });
    }
  });

  it('hands its secret only to who could grant its scopes for its subject', async () => {
    const { token } = await issue();
    const lacking = { subject: 'clerk', scopes: ['tokens:write', 'statements:read-any', 'menus:read'] };
    expect(await rotate(token.id, {}, lacking)).toMatchObject({
      __typename: 'ForbiddenError',
      requiredScope: 'tokens:grant',
    });
    const foreign = { subject: 'clerk', scopes: ['tokens:write', 'statements:read', 'menus:read'] };
    expect((await rotate(token.id, {}, foreign)).__typename).toBe('ForbiddenError');
    expect((await read(token.id)).status).toBe('ACTIVE');
    expect((await rotate(token.id, {}, { ...foreign, subject: 'ana' })).token.subject).toBe('ana');
  });

  it('must have the version expected', async () => {
    const { token } = await issue();
    const stale = await rotate(token.id, { options: { expectedVersion: '1' } });
    expect(stale).toMatchObject({ __typename: 'ConflictError', currentVersion: token.version });
    const fresh = await rotate(token.id, { options: { expectedVersion: token.version } });
    expect(fresh.replaced.status).toBe('REVOKED');
  });

  it.each([
    ['an overlap below zero', { overlapSeconds: -1 }, 'overlapSeconds'],
    ['an overlap above 30 days', { overlapSeconds: 30 * 86_400 + 1 }, 'overlapSeconds'],
    ['an expiry in the past', { expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt'],
  ])('takes no %s', async (_, args, path) => {
    const { token } = await issue();
    expect(await rotate(token.id, args)).toMatchObject({ __typename: 'ValidationError', path: [path] });
    expect((await read(token.id)).version).toBe(token.version);
  });

  it.each([
    'Token:no-uuid',
    `Token:${crypto.randomUUID()}`,
    'Menu:main:en',
  ])('is not found by the id of %s', async (text) => {
    const id = Buffer.from(text).toString('base64url');
    expect(await rotate(id)).toMatchObject({ __typename: 'NotFoundError', path: ['id'] });
  });

  it('leaves an audit row with both prefixes, and with neither secret', async () => {
    const old = await issue();
    const { secret, token } = await rotate(old.token.id, { overlapSeconds: 5, options: { reason: 'quarterly' } });
    const [row] = await api.database.psql`
      SELECT action, reason, before, after, changes::text AS whole FROM changes ORDER BY sequence DESC LIMIT 1`;
    expect(row).toMatchObject({
      action: 'rotateToken',
      reason: 'quarterly',
      before: { prefix: old.token.prefix },
      after: { prefix: token.prefix, overlapSeconds: 5 },
    });
    for (const each of [old.secret, secret]) expect(row?.whole).not.toContain(each);
  });
});

describe('revoking all tokens of a subject', () => {
  it('closes every gateway to each of them before it is acknowledged, and to nobody else', async () => {
    const mine = [await issue({ subject: 'bea' }), await issue({ subject: 'bea' }), await issue({ subject: 'bea' })];
    const theirs = await issue({ subject: 'beatrix' });
    for (const { secret } of [...mine, theirs]) await letIn(secret);
    expect(await revokeOf('bea')).toMatchObject({ revoked: 3, receipt: { visible: true } });
    for (const { secret } of mine) await keptOut(secret);
    await letIn(theirs.secret);
  });

  it('revokes none when it is repeated, and none of a subject without tokens', async () => {
    await issue({ subject: 'cleo' });
    expect((await revokeOf('cleo')).revoked).toBe(1);
    expect(await revokeOf('cleo')).toMatchObject({ revoked: 0, receipt: { visible: true } });
    expect((await revokeOf('nobody at all')).revoked).toBe(0);
  });

  it('lets tokens in that are issued afterwards', async () => {
    await revokeOf('dora');
    await letIn((await issue({ subject: 'dora' })).secret);
  });

  it('is refused when a token of the subject has changed since', async () => {
    await issue({ subject: 'eve' });
    const { receipt } = await revokeOf('eve');
    await issue({ subject: 'eve' });
    const stale = await revokeOf('eve', { expectedVersion: receipt.version });
    expect(stale.__typename).toBe('ConflictError');
    expect((await revokeOf('eve', { expectedVersion: stale.currentVersion })).revoked).toBe(1);
  });

  it('takes a thousand tokens in one statement, and is visible once the relay has covered it', async () => {
    await api.database.psql`
      INSERT INTO tokens (digest, name, prefix, subject, scopes)
      SELECT 'digest ' || at, 'many', 'esp_x', 'many', '{}' FROM generate_series(1, 1000) AS at`;
    const { secret } = await issue({ subject: 'many' });
    await letIn(secret);
    expect(await revokeOf('many')).toMatchObject({ revoked: 1001, receipt: { visible: true } });
    await keptOut(secret);
  });

  it('goes on beside single revocations and rotations of the same tokens', async () => {
    const issued = await Promise.all(Array.from({ length: 6 }, () => issue({ subject: 'fay' })));
    // Which of them finds the rows taken, and gives up, is up to the machine.
    await Promise.allSettled([
      revokeOf('fay'),
      ...issued.slice(0, 3).map(({ token }) => revoke(token.id)),
      ...issued.slice(3).map(({ token }) => rotate(token.id)),
    ]);
    await revokeOf('fay');
    for (const { secret } of issued) await keptOut(secret);
    const [left] = await api.database.psql`
      SELECT count(*)::int AS count FROM tokens WHERE subject = 'fay' AND revoked_at IS NULL`;
    expect(left?.count).toBe(0);
  });

  it('needs a subject, and tokens:write', async () => {
    for (const subject of ['', '  ', 'a\u0000b', 'x'.repeat(201)]) {
      expect(await revokeOf(subject)).toEqual({ __typename: 'ValidationError', path: ['subject'] });
    }
    expect((await revokeOf('ana', null, { scopes: ['tokens:read'] })).__typename).toBe('ForbiddenError');
  });
});

/** Whether introspection at that moment says that the token is not active. */
async function expire(secret: string, nowMs: number) {
  const caller = { subject: 'officer', scopes: ['tokens:introspect'], nowMs };
  const { data } = await api.ask(`query ($token: String!) { introspectToken(token: $token) { active } }`, caller, {
    token: secret,
  });
  return { expired: data.introspectToken.active === false };
}
