// A call of every mutation that takes WriteOptions, for what all of them promise alike. A new mutation needs a line here.
import { type GraphQLNamedType, getNamedType, isObjectType, isUnionType } from 'graphql';
import { SCOPES } from '../../src/resolvers/index.js';
import { schema } from '../../src/schema/index.js';
import type { Api } from '../support/api.js';

/** A mutation and its arguments. */
export type Step = readonly [mutation: string, args: Record<string, unknown>];

export interface MutationCase {
  /** What has to be there before. */
  readonly given?: readonly Step[];
  /** Of the call; `made` are the payloads of what was given. */
  readonly args: (made: readonly Payload[]) => Record<string, unknown>;
  /** Changes the same thing again, so that a replay cannot be taken for a read. */
  readonly after?: (first: Payload) => Step;
}

// biome-ignore lint/suspicious/noExplicitAny: payloads are compared whole.
export type Payload = any;

export const PLANTED = 'a-planted-secret-value';

/** Cases by mutation, on things that bear `tag` in their names. */
export function mutationCases(tag: string): Readonly<Record<string, MutationCase>> {
  const menu = (items = ['a', 'b']): Step => [
    'saveMenu',
    { input: { key: tag, title: 'T', items: items.map((key) => ({ key, label: key })) } },
  ];
  const account: Step = ['openAccount', { number: tag, holder: 'ana', currency: 'BRL', timeZone: 'UTC' }];
  const date = '2026-03-02';
  const posted = (externalId: string, minor = '100'): Step => [
    'postTransactions',
    { account: tag, date, lines: [{ externalId, minor, description: externalId }] },
  ];
  const closed: Step = ['closeBusinessDay', { account: tag, date }];
  const token: Step = ['issueToken', { input: { name: tag, subject: tag, scopes: ['cache:read'] } }];
  const environment = (key: string, isPublic = false): Step => ['saveEnvironment', { key, public: isPublic }];
  const definition = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'on' };
  const flag = (at: string, enabled = true): Step => [
    'saveFlag',
    { input: { environment: at, key: 'f', enabled, description: '#bigint', definition } },
  ];
  const secret: Step = ['putSecret', { name: tag, value: `${PLANTED}-1` }];
  const secondSecret: Step = ['putSecret', { name: tag, value: `${PLANTED}-2` }];
  const restated = (minor: string): Step => [
    'restateBusinessDay',
    { account: tag, date, lines: [{ externalId: 'r', minor, description: 'restated' }] },
  ];
  const alike = (step: Step) => () => step[1];
  return {
    saveMenu: { args: alike(menu()), after: () => menu(['c']) },
    renameMenuItem: {
      given: [menu()],
      args: () => ({ key: tag, item: 'a', label: 'new' }),
      after: () => ['renameMenuItem', { key: tag, item: 'a', label: 'newer' }],
    },
    moveMenuItem: {
      given: [menu()],
      args: () => ({ key: tag, item: 'a', position: 1 }),
      after: () => ['deleteMenu', { key: tag }],
    },
    deleteMenu: { given: [menu()], args: () => ({ key: tag }), after: () => menu() },
    openAccount: { args: alike(account), after: () => closed },
    postTransactions: { given: [account], args: alike(posted('a')), after: () => posted('b') },
    closeBusinessDay: { given: [account, posted('a')], args: alike(closed), after: () => restated('7') },
    restateBusinessDay: {
      given: [account, posted('a'), closed],
      args: alike(restated('7')),
      after: () => restated('8'),
    },
    issueToken: { args: alike(token), after: ({ token: { id } }) => ['revokeToken', { id }] },
    rotateToken: {
      given: [token],
      args: ([{ token: made }]) => ({ id: made.id, overlapSeconds: 60 }),
      after: ({ token: { id } }) => ['revokeToken', { id }],
    },
    revokeToken: { given: [token], args: ([{ token: made }]) => ({ id: made.id }) },
    revokeTokensOf: { given: [token], args: () => ({ subject: tag }), after: () => token },
    saveEnvironment: { args: alike(environment(tag)), after: () => environment(tag, true) },
    copyEnvironment: {
      given: [environment(tag), flag(tag)],
      args: () => ({ from: tag, to: `${tag}-copy` }),
      after: () => environment(`${tag}-copy`, true),
    },
    saveFlag: { given: [environment(tag)], args: alike(flag(tag)), after: () => flag(tag, false) },
    toggleFlag: {
      given: [environment(tag), flag(tag)],
      args: () => ({ environment: tag, key: 'f', enabled: false }),
      after: () => flag(tag),
    },
    promoteFlag: {
      given: [environment(tag), environment(`${tag}-to`), flag(tag)],
      args: () => ({ key: 'f', from: tag, to: `${tag}-to` }),
      after: () => flag(`${tag}-to`, false),
    },
    archiveFlag: {
      given: [environment(tag), flag(tag)],
      args: () => ({ environment: tag, key: 'f' }),
      after: () => flag(tag),
    },
    putParameter: {
      args: () => ({ name: tag, parameter: { limit: 5 } }),
      after: () => ['putParameter', { name: tag, parameter: { limit: 6 } }],
    },
    changeSecurityList: {
      given: [['changeSecurityList', { name: tag, add: ['one', 'two'] }]],
      args: () => ({ name: tag, add: ['three'], remove: ['one'] }),
      after: () => ['changeSecurityList', { name: tag, add: ['four'] }],
    },
    putSecret: { args: alike(secret), after: () => secondSecret },
    rotateSecret: {
      given: [secret],
      args: () => ({ name: tag, value: `${PLANTED}-3`, overlapSeconds: 60 }),
      after: () => secondSecret,
    },
    restoreSecret: { given: [secret, secondSecret], args: () => ({ name: tag, version: 1 }), after: () => secret },
    destroySecretVersion: {
      given: [secret, secondSecret],
      args: () => ({ name: tag, version: 1 }),
      after: () => secret,
    },
    setCachePolicy: {
      args: () => ({ view: 'menu', ttlSeconds: 600 }),
      after: () => ['setCachePolicy', { view: 'menu', ttlSeconds: 700 }],
    },
  };
}

const mutations = schema.getMutationType()?.getFields() ?? {};

/** Mutations whose arguments have options, or have none. */
export const mutationsWith = (options: boolean): string[] =>
  Object.values(mutations)
    .filter(({ args }) => args.some(({ name }) => name === 'options') === options)
    .map(({ name }) => name);

/** Runs a mutation as somebody who may do everything, and gives all that its result says, three levels deep. */
export async function run(
  api: Api,
  [name, args]: Step,
  options: Record<string, unknown> | null = null,
  subject = 'officer',
): Promise<Payload> {
  const field = mutations[name];
  if (!field) throw new Error(`There is no mutation ${name}.`);
  const declared = field.args.map((arg) => `$${arg.name}: ${arg.type}`).join(', ');
  const given = field.args.map((arg) => `${arg.name}: $${arg.name}`).join(', ');
  const result = getNamedType(field.type);
  const payload = isUnionType(result) ? result.getTypes().find((type) => type.name.endsWith('Payload')) : undefined;
  if (!payload) throw new Error(`${name} has no payload.`);
  const document = `mutation (${declared}) { ${name}(${given}) { __typename ... on ${payload.name} ${selectionOf(payload, 3)}
    ... on UserError { code message path } ... on ConflictError { currentVersion } } }`;
  const { data, errors } = await api.ask(document, { subject, scopes: SCOPES }, { ...args, options });
  if (errors.length > 0) throw new Error(`${name}: ${errors.map(({ message }) => message).join(' ')}`);
  return data[name];
}

/** Runs a case's given steps and gives its own call. */
export async function prepared(api: Api, name: string, { given = [], args }: MutationCase): Promise<Step> {
  const made: Payload[] = [];
  for (const step of given) made.push(await run(api, step));
  return [name, args(made)];
}

function selectionOf(type: GraphQLNamedType, depth: number): string {
  if (!isObjectType(type)) return '';
  const fields = Object.values(type.getFields())
    .filter(({ args }) =>
      args.every(({ type, defaultValue }) => !String(type).endsWith('!') || defaultValue !== undefined),
    )
    .flatMap(({ name, type }) => {
      const inner = getNamedType(type);
      if (!isObjectType(inner)) return [name];
      return depth > 1 ? [`${name} ${selectionOf(inner, depth - 1)}`] : [];
    });
  return `{ ${fields.length > 0 ? fields.join(' ') : '__typename'} }`;
}
