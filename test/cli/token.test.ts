import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf, isSecret, parseGlobalId } from '../../src/resolvers/index.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { espelho } from './terminal.js';

const pepper = 'a pepper of thirty-two characters';
let database: TestDatabase;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  database = await createDatabase();
  env = { DATABASE_URL: database.url, ESPELHO_TOKEN_PEPPER: pepper };
});
afterAll(() => database.close());

const issue = (...options: string[]) =>
  espelho(env, 'token', 'issue', '--name', 'ci', '--subject', 'robot', ...options);

describe('espelho token issue', () => {
  it('prints the secret once and stores its digest only, with an audit row that knows neither', async () => {
    const scopes = 'menus:read, audit:read,menus:read';
    const { code, out, err } = await issue('--scopes', scopes, '--expires-at', '2099-01-31T00:00:00+01:00', '--json');
    expect([code, err]).toEqual([0, '']);
    const issued = JSON.parse(out);
    expect(issued).toEqual({
      id: expect.any(String),
      token: expect.any(String),
      prefix: issued.token.slice(0, 10),
      scopes: ['menus:read', 'audit:read'],
      expiresAt: '2099-01-30T23:00:00.000Z',
    });
    expect(isSecret(issued.token)).toBe(true);
    const id = parseGlobalId(issued.id);
    const digest = digestOf(issued.token, pepper);
    const [token] = await database.psql`SELECT id, digest, name, subject, scopes FROM tokens`;
    expect(token).toEqual({ id: id.key, digest, name: 'ci', subject: 'robot', scopes: issued.scopes });
    const [change] = await database.psql`SELECT actor, action, domain, key, "after"::text FROM changes`;
    expect(change).toMatchObject({ actor: 'cli', action: 'issueToken', domain: 'TOKEN', key: id.key });
    expect(change?.after).not.toContain(digest);
    expect(change?.after).not.toContain(issued.token);
  });

  it('issues tokens without an end', async () => {
    const { out } = await issue('--scopes', 'audit:read', '--json');
    expect(JSON.parse(out).expiresAt).toBeNull();
    expect((await issue('--scopes', 'audit:read')).out).toMatch(/^expires {2}never$/m);
  });

  it.each([
    [['--scopes', 'menus:read,menus:eat'], 'Unknown: "menus:eat". The scopes are: menus:read, menus:write'],
    [['--scopes', ','], '--scopes names none'],
    [['--scopes', 'audit:read', '--expires-at', 'tomorrow'], '--expires-at must be a time such as'],
    [['--scopes', 'audit:read', '--expires-at', '2001-01-01T00:00:00Z'], 'lies in the past'],
    [[], "required option '--scopes <scopes>' not specified"],
  ])('refuses %j and issues nothing', async (options, sentence) => {
    const [before] = await database.psql`SELECT count(*)::int FROM tokens`;
    const { code, out, err } = await issue(...options);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(sentence);
    expect(await database.psql`SELECT count(*)::int FROM tokens`).toEqual([before]);
  });
});
