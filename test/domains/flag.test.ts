// What feature toggles promise, asked through GraphQL.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, type Caller, startApi, withoutRelays } from '../support/api.js';
import { eventually } from '../support/eventually.js';

const editor = { scopes: ['flags:read', 'flags:write', 'flags:evaluate'] };
const reader = { scopes: ['flags:read'] };
const evaluator = { scopes: ['flags:evaluate'] };

let api: Api;
beforeAll(async () => {
  api = await startApi();
  await saveEnvironment('production', true);
  await saveEnvironment('staging', false);
});
afterAll(() => api.close());

const ERRORS = `... on UserError { code message path } ... on ConflictError { currentVersion }
  ... on ForbiddenError { requiredScope }`;
const FLAG = 'environment key enabled description definition variants defaultVariant version updatedAt asOf stale';
const RECEIPT = 'receipt { changeId version visible dryRun }';

const SAVE = `mutation ($input: SaveFlagInput!, $options: WriteOptions) { saveFlag(input: $input, options: $options) {
  __typename ... on SaveFlagPayload { ${RECEIPT} flag { id ${FLAG} } } ${ERRORS} } }`;
const TOGGLE = `mutation ($environment: String!, $key: String!, $enabled: Boolean!, $options: WriteOptions) {
  toggleFlag(environment: $environment, key: $key, enabled: $enabled, options: $options) {
  __typename ... on ToggleFlagPayload { ${RECEIPT} flag { ${FLAG} } } ${ERRORS} } }`;
const ARCHIVE = `mutation ($environment: String!, $key: String!, $options: WriteOptions) {
  archiveFlag(environment: $environment, key: $key, options: $options) {
  __typename ... on ArchiveFlagPayload { ${RECEIPT} environment key } ${ERRORS} } }`;
const ENVIRONMENT = `mutation ($key: String!, $public: Boolean!, $options: WriteOptions) {
  saveEnvironment(key: $key, public: $public, options: $options) {
  __typename ... on SaveEnvironmentPayload { ${RECEIPT} environment { id key public flagCount version } } ${ERRORS} } }`;
const EVALUATE = `query ($environment: String!, $key: String!, $context: JSON, $default: JSON) {
  evaluateFlag(environment: $environment, key: $key, context: $context, default: $default) {
  key value variant reason errorCode errorMessage metadata version stale } }`;
const EVALUATE_ALL = `query ($environment: String!, $context: JSON, $keys: [String!]) {
  evaluateFlags(environment: $environment, context: $context, keys: $keys) { key value reason errorCode } }`;

async function saveEnvironment(key: string, isPublic: boolean, options: object | null = null) {
  return (await api.ask(ENVIRONMENT, editor, { key, public: isPublic, options })).data.saveEnvironment;
}
async function save(input: object, options: object | null = null, caller: Caller = editor) {
  const whole = { environment: 'production', enabled: true, definition: onOff, ...input };
  return (await api.ask(SAVE, caller, { input: whole, options })).data.saveFlag;
}
async function toggle(key: string, enabled: boolean, options: object | null = null) {
  return (await api.ask(TOGGLE, editor, { environment: 'production', key, enabled, options })).data.toggleFlag;
}
async function archive(key: string, environment = 'production') {
  return (await api.ask(ARCHIVE, editor, { environment, key })).data.archiveFlag;
}
async function evaluate(key: string, rest: object = {}, caller: Caller = {}) {
  return (await api.ask(EVALUATE, caller, { environment: 'production', key, ...rest })).data.evaluateFlag;
}
async function readFlag(key: string, environment = 'production') {
  const query = `query ($environment: String!, $key: String!) { flag(environment: $environment, key: $key) { id ${FLAG} } }`;
  return (await api.ask(query, reader, { environment, key })).data.flag;
}
async function environment(key: string) {
  const { data } = await api.ask('{ environments { id key public flagCount version } }', reader);
  return data.environments.find((each: { key: string }) => each.key === key);
}

const onOff = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'on' };
const byCountry = {
  state: 'ENABLED',
  variants: { green: 'g', blue: 'b' },
  defaultVariant: 'blue',
  targeting: { if: [{ '==': [{ var: 'country' }, 'BR'] }, 'green', null] },
};

interface FlagPage {
  readonly edges: readonly { readonly node: { readonly key: string } }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
}

describe('evaluating', () => {
  it('answers value, variant and reason as flagd does, without a token where the environment is public', async () => {
    const { receipt } = await save({ key: 'basic', definition: { ...onOff, metadata: { owner: 'ana' } } });
    expect(await evaluate('basic')).toEqual({
      key: 'basic',
      value: true,
      variant: 'on',
      reason: 'STATIC',
      errorCode: null,
      errorMessage: null,
      metadata: { owner: 'ana' },
      version: receipt.version,
      stale: false,
    });
  });

  it('goes by the context', async () => {
    await save({ key: 'country', definition: byCountry });
    expect(await evaluate('country', { context: { country: 'BR' } })).toMatchObject({
      value: 'g',
      reason: 'TARGETING_MATCH',
    });
    expect(await evaluate('country', { context: { country: 'PT' } })).toMatchObject({ value: 'b', reason: 'DEFAULT' });
    expect(await evaluate('country')).toMatchObject({ value: 'b', reason: 'DEFAULT' });
    const literal = `{ evaluateFlag(environment: "production", key: "country", context: {country: "BR", deep: [{n: 1.5}]}) { value } }`;
    expect((await api.ask(literal)).data.evaluateFlag.value).toBe('g');
    const partly = `query ($c: JSON) { evaluateFlag(environment: "production", key: "country", context: {country: $c}) { value } }`;
    expect((await api.ask(partly, {}, { c: 'BR' })).data.evaluateFlag.value).toBe('g');
  });

  it('splits by fractions: each targeting key always gets the same, and together they get their shares', async () => {
    const fractional = [
      ['on', 20],
      ['off', 80],
    ];
    await save({ key: 'rollout', definition: { ...onOff, targeting: { fractional } } });
    const asked = Array.from(
      { length: 1_000 },
      (_, at) =>
        `u${at}: evaluateFlag(environment: "production", key: "rollout", context: {targetingKey: "user-${at}"}) { value }`,
    );
    const ask = async () =>
      Object.values((await api.ask(`{ ${asked.join('\n')} }`)).data as Record<string, { value: boolean }>);
    const first = await ask();
    const on = first.filter(({ value }) => value).length;
    expect(on).toBeGreaterThan(150);
    expect(on).toBeLessThan(250);
    expect(await ask()).toEqual(first);
  });

  it('answers the default of a disabled flag, with the reason DISABLED', async () => {
    await save({ key: 'disabled', enabled: false });
    expect(await evaluate('disabled', { default: 'mine' })).toMatchObject({
      value: 'mine',
      variant: null,
      reason: 'DISABLED',
      errorCode: null,
    });
    expect((await evaluate('disabled')).value).toBeNull();
  });

  it('lets enabled win over the state in the definition, both ways', async () => {
    await save({ key: 'state', enabled: true, definition: { ...onOff, state: 'DISABLED' } });
    expect((await evaluate('state')).reason).toBe('STATIC');
    await toggle('state', false);
    expect((await evaluate('state')).reason).toBe('DISABLED');
  });

  it('answers the default with a code where there is nothing to evaluate', async () => {
    await save({ key: 'typed' });
    const missing = { value: 7, reason: 'ERROR', errorCode: 'FLAG_NOT_FOUND', version: null };
    expect(await evaluate('no-such-flag', { default: 7 })).toMatchObject(missing);
    expect(await evaluate('typed', { environment: 'no-such-environment', default: 7 })).toMatchObject(missing);
    expect(await evaluate('typed', { environment: '', default: 7 })).toMatchObject(missing);
    expect(await evaluate('typed', { environment: '\u0000', key: '\u0000', default: 7 })).toMatchObject(missing);
    expect(await evaluate('typed', { default: 'text' })).toMatchObject({ value: 'text', errorCode: 'TYPE_MISMATCH' });
    expect(await evaluate('typed', { default: 1, context: [1] })).toMatchObject({
      value: 1,
      reason: 'ERROR',
      errorCode: 'INVALID_CONTEXT',
    });
  });

  it('answers PARSE_ERROR and GENERAL for definitions that only psql could have left', async () => {
    const leave = (key: string, definition: unknown) =>
      api.database.psql`INSERT INTO flags (environment, key, enabled, definition)
        VALUES ('production', ${key}, true, ${api.database.psql.json(definition as never)})`;
    await expect(leave('left-number', 5)).rejects.toThrow('flags_definition');
    await leave('left-empty', {});
    await leave('left-operator', { ...onOff, targeting: { nope: [1] } });
    await leave('left-default', { ...onOff, defaultVariant: 'neither' });
    await leave('left-variant', { ...onOff, targeting: { cat: ['nei', 'ther'] } });
    await leave('left-object', { ...onOff, targeting: { var: 'user' } });
    await api.database.psql`SELECT cache_barrier('30 seconds')`;
    const context = { user: { toString: 1 } };
    const codes = async (key: string) => (await evaluate(key, { default: false, context })).errorCode;
    expect(await codes('left-empty')).toBe('PARSE_ERROR');
    expect(await codes('left-operator')).toBe('PARSE_ERROR');
    expect(await codes('left-default')).toBe('PARSE_ERROR');
    expect(await codes('left-variant')).toBe('GENERAL');
    expect(await codes('left-object')).toBe('GENERAL');
    expect((await readFlag('left-empty')).variants).toEqual({});
  });

  it('runs no code that a definition smuggles in', async () => {
    const definition = { ...onOff, targeting: { if: [{ var: "x']; globalThis.smuggled = 1; //" }, 'on', 'off'] } };
    await save({ key: 'smuggler', definition });
    expect((await evaluate('smuggler')).value).toBe(false);
    expect(globalThis).not.toHaveProperty('smuggled');
  });

  it('moves one field for one flag, and costs one round-trip for several', async () => {
    for (const at of [1, 2, 3]) await save({ key: `many-${at}` });
    const three = [1, 2, 3].map((at) => `e${at}: evaluateFlag(environment: "production", key: "many-${at}") { value }`);
    await eventually(async () =>
      (await api.ask(`{ ${three.join(' ')} }`)).trace.every(({ outcome }) => outcome === 'HIT'),
    );
    api.events.length = 0;
    const { data, trace } = await api.ask(`{ ${three.join(' ')} }`);
    expect(data).toEqual({ e1: { value: true }, e2: { value: true }, e3: { value: true } });
    expect(trace.map(({ view, outcome }) => `${view} ${outcome}`)).toEqual(['flags HIT', 'flags HIT', 'flags HIT']);
    expect(api.events.filter(({ kind }) => kind === 'flush')).toHaveLength(1);
  });

  it('evaluates all flags by key, or those asked for in their order', async () => {
    await saveEnvironment('few', true);
    for (const key of ['b', 'a', 'c']) await save({ environment: 'few', key, enabled: key !== 'c' });
    const ask = async (keys: string[] | null, place = 'few', caller: Caller = {}) =>
      (await api.ask(EVALUATE_ALL, caller, { environment: place, keys })).data.evaluateFlags;
    const on = { value: true, reason: 'STATIC', errorCode: null };
    expect(await ask(null)).toEqual([
      { key: 'a', ...on },
      { key: 'b', ...on },
      { key: 'c', value: null, reason: 'DISABLED', errorCode: null },
    ]);
    expect(await ask(['b', 'x', 'a', 'b'])).toEqual([
      { key: 'b', ...on },
      { key: 'x', value: null, reason: 'ERROR', errorCode: 'FLAG_NOT_FOUND' },
      { key: 'a', ...on },
      { key: 'b', ...on },
    ]);
    expect(await ask(null, 'no-such')).toEqual([]);
    expect(await ask([])).toEqual([]);
  });

  it('takes a flag of an environment that is not public for a missing one, unless the caller has flags:evaluate', async () => {
    await save({ environment: 'staging', key: 'hidden' });
    const ask = (caller: Caller) => evaluate('hidden', { environment: 'staging', default: 'mine' }, caller);
    const all = async (caller: Caller) =>
      (await api.ask(EVALUATE_ALL, caller, { environment: 'staging', keys: null })).data.evaluateFlags.length;
    const missing = await evaluate('hidden', { environment: 'no-such', default: 'mine' });
    const told = JSON.stringify(missing).replace('no-such', 'staging');
    for (const caller of [{}, reader]) {
      expect(JSON.stringify(await ask(caller))).toBe(told);
      expect(await all(caller)).toBe(0);
    }
    expect((await evaluate('hidden', { environment: 'staging' }, evaluator)).value).toBe(true);
    expect(await all(evaluator)).toBe(1);
    await saveEnvironment('staging', true);
    expect((await evaluate('hidden', { environment: 'staging' })).value).toBe(true);
    await saveEnvironment('staging', false);
    expect((await evaluate('hidden', { environment: 'staging' })).errorCode).toBe('FLAG_NOT_FOUND');
  });
});

describe('JSON', () => {
  const ask = (context: unknown) => api.ask(EVALUATE, {}, { environment: 'production', key: 'basic', context });
  const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) });

  it('is taken up to 32 levels and 64 KiB', async () => {
    expect((await ask(nested(32))).errors).toEqual([]);
    expect((await ask({ a: 'x'.repeat(65_528) })).errors).toEqual([]);
  });

  it.each([
    ['deeper than 32 levels', nested(33)],
    ['deeper than any stack', JSON.parse('['.repeat(5_000) + ']'.repeat(5_000))],
    ['of more than 64 KiB', { a: 'x'.repeat(65_529) }],
    ['of more than 64 KiB in UTF-8', { a: 'é'.repeat(32_768) }],
    ['with a NUL', { a: ['\0'] }],
    ['with a NUL in a key', { '\0': 1 }],
    ['with __proto__', JSON.parse('{"a": {"__proto__": {}}}')],
    ['with half a character', { a: '\ud800' }],
    ['with a number beyond all numbers', { a: Number.POSITIVE_INFINITY }],
  ])('is refused %s', async (_, context) => {
    await expect(ask(context).then(({ errors }) => Promise.reject(errors[0]))).rejects.toMatchObject({
      message: expect.stringMatching(/JSON/),
    });
  });

  it('is refused in a literal too', async () => {
    const literal = (json: string) =>
      api.ask(`{ evaluateFlag(environment: "production", key: "basic", context: ${json}) { value } }`);
    await expect(literal('{__proto__: {a: 1}}')).rejects.toThrow('__proto__');
    await expect(literal(`${'['.repeat(40)}${']'.repeat(40)}`)).rejects.toThrow('32 levels');
    await expect(literal('{a: 1e999}')).rejects.toThrow('too large');
  });
});

describe('reading', () => {
  it('answers a flag as it was saved, by its key and by its global id', async () => {
    const description = 'First line\nsecond';
    const { flag } = await save({ key: 'read', description, definition: byCountry });
    expect(flag).toMatchObject({
      environment: 'production',
      key: 'read',
      enabled: true,
      description,
      definition: byCountry,
      variants: byCountry.variants,
      defaultVariant: 'blue',
      stale: false,
    });
    expect(await readFlag('read')).toEqual(flag);
    const node = `query ($id: ID!) { node(id: $id) { __typename ... on Flag { key } } }`;
    expect((await api.ask(node, reader, flag)).data.node).toEqual({ __typename: 'Flag', key: 'read' });
    expect((await api.ask(node, evaluator, flag)).data.node).toBeNull();
    expect(await readFlag('no-such-flag')).toBeNull();
    expect(await readFlag('read', 'no-such-environment')).toBeNull();
  });

  it('pages through flags by key, all or some, with cursors that fit no other list', async () => {
    await saveEnvironment('paged', false);
    const keys = Array.from({ length: 12 }, (_, at) => `flag ${at}/é`);
    for (const key of keys) await save({ environment: 'paged', key });
    const page = (first: number, after: string | null, some: readonly string[] | null) =>
      api.ask(
        `query ($first: Int, $after: String, $keys: [String!]) {
          flags(environment: "paged", first: $first, after: $after, keys: $keys) {
            edges { cursor node { key } } pageInfo { hasNextPage hasPreviousPage endCursor } } }`,
        reader,
        { first, after, keys: some },
      );
    const walk = async (some: readonly string[] | null) => {
      const seen: string[] = [];
      let after: string | null = null;
      do {
        const { edges, pageInfo }: FlagPage = (await page(5, after, some)).data.flags;
        seen.push(...edges.map(({ node }) => node.key));
        after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
      } while (after !== null);
      return seen;
    };
    expect(await walk(null)).toEqual([...keys].sort());
    const some = [...keys.slice(0, 7), 'no-such-flag', ...keys.slice(0, 2)];
    expect(await walk(some)).toEqual(keys.slice(0, 7).sort());
    const { endCursor } = (await page(5, null, null)).data.flags.pageInfo;
    expect((await page(5, endCursor, keys)).errors[0]?.code).toBe('BAD_REQUEST');
    expect((await page(5, null, [])).data.flags.edges).toEqual([]);
  });

  it('shows public environments to anybody, and all to flags:read', async () => {
    await saveEnvironment('shown', true);
    await saveEnvironment('kept', false);
    const ask = async (caller: Caller) =>
      (await api.ask('{ environments { id key public } }', caller)).data.environments as { id: string; key: string }[];
    const keys = async (caller: Caller) => (await ask(caller)).map(({ key }) => key);
    expect(await keys({})).toContain('shown');
    expect(await keys(evaluator)).not.toContain('kept');
    const all = await ask(reader);
    expect(all.map(({ key }) => key)).toEqual(all.map(({ key }) => key).sort());
    const kept = all.find(({ key }) => key === 'kept');
    const node = `query ($id: ID!) { node(id: $id) { ... on Environment { key } } }`;
    expect((await api.ask(node, reader, kept)).data.node).toEqual({ key: 'kept' });
    expect((await api.ask(node, {}, kept)).data.node).toBeNull();
  });

  it('needs flags:read for definitions', async () => {
    for (const query of [
      '{ flag(environment: "production", key: "basic") { key } }',
      '{ flags(environment: "production") { edges { cursor } } }',
    ]) {
      expect((await api.ask(query)).errors[0]?.code).toBe('UNAUTHENTICATED');
      expect((await api.ask(query, evaluator)).errors[0]?.code).toBe('FORBIDDEN');
    }
  });

  it('keeps quotes and backslashes of a flag that is loaded from SQL', async () => {
    const description = 'The "new" one, in C:\\flags\n{a,b}';
    const definition = { ...onOff, variants: { on: 'a "b" \\c', off: '{"x": "\\""}' } };
    await save({ key: 'quoted', description, definition });
    await api.database.psql`UPDATE flags SET enabled = false WHERE environment = 'production' AND key = 'quoted'`;
    await api.database.psql`SELECT cache_barrier('30 seconds')`;
    expect(await readFlag('quoted')).toMatchObject({ enabled: false, description, definition });
  });

  it('shows what psql changes, with a new version and moment of that flag alone', async () => {
    await save({ key: 'by-hand' });
    await save({ key: 'bystander' });
    const [before, bystander] = [await readFlag('by-hand'), await readFlag('bystander')];
    await api.database.psql`UPDATE flags SET enabled = false WHERE environment = 'production' AND key = 'by-hand'`;
    await api.database.psql`SELECT cache_barrier('30 seconds')`;
    const after = await readFlag('by-hand');
    expect(after.enabled).toBe(false);
    expect(BigInt(after.version)).toBeGreaterThan(BigInt(before.version));
    expect(Date.parse(after.updatedAt)).toBeGreaterThanOrEqual(Date.parse(before.updatedAt));
    expect(await readFlag('bystander')).toEqual(bystander);
    expect((await evaluate('by-hand')).reason).toBe('DISABLED');
  });
});

describe('writing', () => {
  it('is visible to every gateway once acknowledged, with the new field in Redis', async () => {
    const other = await startApi({ database: api.database });
    try {
      await save({ key: 'spread' });
      const ask = () => other.ask(EVALUATE, {}, { environment: 'production', key: 'spread' });
      await eventually(async () => (await ask()).trace.every(({ outcome }) => outcome === 'HIT'));
      expect((await ask()).data.evaluateFlag.value).toBe(true);
      const turnedOff = { ...onOff, defaultVariant: 'off' };
      const { receipt } = await withoutRelays(() => save({ key: 'spread', definition: turnedOff }));
      expect(receipt).toMatchObject({ visible: true, dryRun: false });
      const { data, trace } = await ask();
      expect(data.evaluateFlag).toMatchObject({ value: false, version: receipt.version });
      expect(trace.map(({ outcome }) => outcome)).toEqual(['HIT']);
    } finally {
      await other.close();
    }
  });

  it('publishes one field for one flag: others keep their versions, and nothing is loaded again', async () => {
    await saveEnvironment('delta', true);
    for (const key of ['x', 'y', 'z']) await save({ environment: 'delta', key });
    const all = `{ flags(environment: "delta") { edges { node { key enabled version } } } }`;
    const read = async () => {
      const { data, trace } = await api.ask(all, reader);
      return { outcome: trace[0]?.outcome, flags: data.flags.edges.map(({ node }: { node: object }) => node) };
    };
    await eventually(async () => (await read()).outcome === 'HIT');
    const { flags: before } = await read();
    api.events.length = 0;
    const toggled = await withoutRelays(() =>
      api.ask(TOGGLE, editor, { environment: 'delta', key: 'y', enabled: false }),
    );
    expect(api.events.filter(({ kind }) => kind === 'loaded')).toEqual([]);
    const published = api.events.filter(({ kind }) => kind === 'published');
    expect(published).toHaveLength(1);
    expect(published[0]).toMatchObject({ view: 'flags', key: 'delta' });
    const { version } = toggled.data.toggleFlag.receipt;
    const expected = before.map((flag: { key: string }) =>
      flag.key === 'y' ? { ...flag, enabled: false, version } : flag,
    );
    expect(await read()).toEqual({ outcome: 'HIT', flags: expected });
  });

  it('counts flags in their environment as they come and go, and not as they change', async () => {
    await saveEnvironment('counted', true);
    const count = async () => (await environment('counted')).flagCount;
    await save({ environment: 'counted', key: 'a' });
    await save({ environment: 'counted', key: 'b' });
    expect(await count()).toBe(2);
    const { version } = await environment('counted');
    await api.ask(TOGGLE, editor, { environment: 'counted', key: 'a', enabled: false });
    await save({ environment: 'counted', key: 'b', definition: byCountry });
    expect((await environment('counted')).version).toBe(version);
    await archive('a', 'counted');
    expect(await count()).toBe(1);
    await api.database.psql`DELETE FROM flags WHERE environment = 'counted'`;
    await api.database.psql`SELECT cache_barrier('30 seconds')`;
    expect(await count()).toBe(0);
  });

  it('archives a flag, which then is missing, and saves it anew', async () => {
    await save({ key: 'old' });
    expect(await archive('old')).toMatchObject({
      __typename: 'ArchiveFlagPayload',
      environment: 'production',
      key: 'old',
    });
    expect(await readFlag('old')).toBeNull();
    expect((await evaluate('old')).errorCode).toBe('FLAG_NOT_FOUND');
    for (const again of [await archive('old'), await toggle('old', true)]) {
      expect(again).toMatchObject({ __typename: 'NotFoundError', path: ['key'] });
    }
    expect(await api.database.psql`SELECT FROM flags WHERE key = 'old' AND archived_at IS NOT NULL`).toHaveLength(1);
    await save({ key: 'old' });
    expect((await evaluate('old')).value).toBe(true);
  });

  it("expects and gives the flag's own version, whatever becomes of its neighbours", async () => {
    const { receipt } = await save({ key: 'ver' });
    await save({ key: 'neighbour' });
    const toggled = await toggle('ver', false, { expectedVersion: receipt.version });
    expect(toggled.flag).toMatchObject({ enabled: false, version: toggled.receipt.version });
    const conflict = await save({ key: 'ver' }, { expectedVersion: receipt.version });
    expect(conflict).toMatchObject({ __typename: 'ConflictError', currentVersion: toggled.receipt.version });
    expect((await readFlag('ver')).enabled).toBe(false);
  });

  it('changes nothing by saving what stands', async () => {
    const { receipt, flag } = await save({ key: 'same', definition: byCountry });
    const again = await save({ key: 'same', definition: byCountry });
    expect(again.receipt).toMatchObject({ version: receipt.version, visible: true });
    expect(again.flag).toEqual(flag);
    expect((await toggle('same', true)).receipt.version).toBe(receipt.version);
  });

  it('keeps what was before and after in the audit log, and nothing of a refused write', async () => {
    await save({ key: 'aud' }, { reason: 'because' });
    await toggle('aud', false);
    await save({ key: 'aud', definition: {} });
    const rows = await api.database.psql`SELECT action, domain, actor, reason, before, after FROM changes
      WHERE key = 'production/aud' ORDER BY sequence`;
    const saved = { enabled: true, description: null, definition: onOff };
    const by = { domain: 'FLAG', actor: 'tester' };
    expect([...rows]).toEqual([
      { action: 'saveFlag', ...by, reason: 'because', before: null, after: saved },
      { action: 'toggleFlag', ...by, reason: null, before: { enabled: true }, after: { enabled: false } },
    ]);
    await saveEnvironment('audited', true);
    await saveEnvironment('audited', false);
    const opened = await api.database.psql`SELECT before, after FROM changes WHERE key = 'audited' ORDER BY sequence`;
    expect([...opened]).toEqual([
      { before: null, after: { public: true } },
      { before: { public: true }, after: { public: false } },
    ]);
  });

  it('lets several writers change flags of one environment at once', async () => {
    await saveEnvironment('busy', true);
    const keys = Array.from({ length: 20 }, (_, at) => `k${at}`);
    const write = async (key: string, at: number) => {
      const saved = await save({ environment: 'busy', key });
      if (at % 4 === 0) await saveEnvironment('busy', true);
      if (at % 2 === 0) await api.ask(TOGGLE, editor, { environment: 'busy', key, enabled: false });
      return saved.__typename;
    };
    expect(new Set(await Promise.all(keys.map(write)))).toEqual(new Set(['SaveFlagPayload']));
    const { data } = await api.ask(
      `{ flags(environment: "busy", first: 100) { edges { node { key enabled } } } }`,
      reader,
    );
    const expected = keys.map((key, at) => ({ key, enabled: at % 2 === 1 })).sort((a, b) => (a.key < b.key ? -1 : 1));
    expect(data.flags.edges.map(({ node }: { node: object }) => node)).toEqual(expected);
    expect((await environment('busy')).flagCount).toBe(20);
  });

  const refusals: [string, object, string[]][] = [
    ['an environment that is none', { environment: 'a/b' }, ['input', 'environment']],
    ['an empty key', { key: '' }, ['input', 'key']],
    ['a key with blanks around it', { key: ' a' }, ['input', 'key']],
    ['a key with a control', { key: 'a\nb' }, ['input', 'key']],
    ['the key __proto__', { key: '__proto__' }, ['input', 'key']],
    ['a description with a NUL', { description: 'a\0' }, ['input', 'description']],
    ['a definition that is no object', { definition: 'on' }, ['input', 'definition']],
    ['a definition without state', { definition: { variants: { on: true } } }, ['input', 'definition', 'state']],
    [
      'variants of two types',
      { definition: { ...onOff, variants: { on: true, off: 'no' } } },
      ['input', 'definition', 'variants', 'off'],
    ],
    [
      'a default that is no variant',
      { definition: { ...onOff, defaultVariant: 'x' } },
      ['input', 'definition', 'defaultVariant'],
    ],
    [
      'an operator that there is not',
      { definition: { ...onOff, targeting: { if: [{ equals: [1, 1] }, 'on'] } } },
      ['input', 'definition', 'targeting', 'if', '0', 'equals'],
    ],
    [
      'an operator that there is not, in an array',
      { definition: { ...onOff, targeting: { in: ['a', [{ equals: 1 }]] } } },
      ['input', 'definition', 'targeting'],
    ],
    [
      'a reference to an evaluator',
      { definition: { ...onOff, targeting: { if: [{ $ref: 'staff' }, 'on'] } } },
      ['input', 'definition', 'targeting'],
    ],
  ];
  it.each(refusals)('refuses %s, naming the place', async (_, input, path) => {
    const refused = await save({ key: 'bad', ...input });
    expect(refused).toMatchObject({ __typename: 'ValidationError', code: 'VALIDATION', path });
    expect(refused.message).toMatch(/\.$/);
    expect(await readFlag('bad')).toBeNull();
  });

  it('refuses a flag of an environment that there is not', async () => {
    const refused = await save({ environment: 'nowhere', key: 'x' });
    expect(refused).toMatchObject({ __typename: 'NotFoundError', path: ['input', 'environment'] });
    expect(await api.database.psql`SELECT FROM entry WHERE key LIKE 'nowhere%'`).toHaveLength(0);
    expect(await saveEnvironment('a/b', true)).toMatchObject({ __typename: 'ValidationError', path: ['key'] });
  });

  it('needs flags:write: without a token UNAUTHENTICATED, with another one ForbiddenError', async () => {
    const input = { environment: 'production', key: 'basic', enabled: false, definition: onOff };
    expect((await api.ask(SAVE, {}, { input })).errors[0]?.code).toBe('UNAUTHENTICATED');
    const forbidden = { __typename: 'ForbiddenError', requiredScope: 'flags:write' };
    expect(await save({ key: 'basic' }, null, reader)).toMatchObject(forbidden);
    const place = { environment: 'production', key: 'basic' };
    expect((await api.ask(TOGGLE, reader, { ...place, enabled: false })).data.toggleFlag).toMatchObject(forbidden);
    expect((await api.ask(ARCHIVE, reader, place)).data.archiveFlag).toMatchObject(forbidden);
    expect((await api.ask(ENVIRONMENT, reader, { key: 'x', public: true })).data.saveEnvironment).toMatchObject(
      forbidden,
    );
  });
});
