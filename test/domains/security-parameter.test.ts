// What parameters promise, asked through GraphQL.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, startApi } from '../support/api.js';

const officer = { subject: 'officer', scopes: ['security:read', 'security:write'] };

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const PUT = `mutation ($name: String!, $parameter: JSON!, $schema: JSON, $options: WriteOptions) {
  putParameter(name: $name, parameter: $parameter, schema: $schema, options: $options) {
    __typename
    ... on PutParameterPayload { receipt { version visible changeId } securityValue {
      id name kind parameter schema memberCount currentVersion versions { number } rotationDue version updatedAt asOf stale } }
    ... on UserError { code message path }
    ... on ConflictError { currentVersion }
  }
}`;

const put = async (name: string, parameter: unknown, rest: object = {}) =>
  (await api.ask(PUT, officer, { name, parameter, ...rest })).data.putParameter;

const read = async (name: string) =>
  (
    await api.ask(`query ($name: String!) { securityValue(name: $name) { parameter schema version } }`, officer, {
      name,
    })
  ).data.securityValue;

describe('a parameter', () => {
  it('is any JSON, and comes back as it was put', async () => {
    const odd = { a: [1, -0.5, 1e21, 'é', null, true, { '': [] }], 'x"y': '5', n: { '10': 1, '9': 2 } };
    for (const parameter of [odd, [], 'text', '"5"', '5', 5, false, 'null', 9_007_199_254_740_991, 0.1]) {
      const { receipt, securityValue } = await put('any', parameter);
      expect(securityValue).toMatchObject({ name: 'any', kind: 'PARAMETER', parameter, schema: null, stale: false });
      expect(securityValue).toMatchObject({ memberCount: null, currentVersion: null, versions: [], rotationDue: null });
      expect(receipt).toMatchObject({ visible: true, version: securityValue.version });
      expect(await read('any')).toEqual({ parameter, schema: null, version: receipt.version });
    }
  });

  it('that is put again as it stands keeps its version', async () => {
    const first = await put('same', { limit: 3, deep: { a: 1, b: [2] } });
    const again = await put('same', { deep: { b: [2], a: 1 }, limit: 3 });
    expect(again.receipt.version).toBe(first.receipt.version);
    expect(again.receipt.visible).toBe(true);
    expect((await put('same', { limit: 4 })).receipt.version).not.toBe(first.receipt.version);
  });

  it('is refused with ConflictError when it is no longer what was expected', async () => {
    const { receipt } = await put('expected', 1, { options: { expectedVersion: '0' } });
    expect(await put('expected', 2, { options: { expectedVersion: '0' } })).toMatchObject({
      __typename: 'ConflictError',
      currentVersion: receipt.version,
    });
    const next = await put('expected', 2, { options: { expectedVersion: receipt.version } });
    expect(next.securityValue.parameter).toBe(2);
  });

  it('leaves before and after in the audit log', async () => {
    await put('audited', { limit: 1 }, { schema: { type: 'object' } });
    await put('audited', { limit: 2 }, { options: { reason: 'too low' } });
    const rows = await api.database
      .psql`SELECT actor, action, domain, reason, before, after FROM changes WHERE key = 'audited' ORDER BY sequence`;
    const schema = { type: 'object' };
    expect(rows).toEqual([
      expect.objectContaining({ reason: null, before: null, after: { parameter: { limit: 1 }, schema } }),
      {
        actor: 'officer',
        action: 'putParameter',
        domain: 'SECURITY_VALUE',
        reason: 'too low',
        before: { parameter: { limit: 1 }, schema },
        after: { parameter: { limit: 2 }, schema },
      },
    ]);
  });

  it('shows what psql changes', async () => {
    await put('by-hand', { limit: 1 });
    expect((await read('by-hand')).parameter).toEqual({ limit: 1 });
    await api.database.psql`UPDATE security_values SET parameter = '{"limit": 7}' WHERE name = 'by-hand'`;
    await api.database.psql`SELECT cache_barrier('30 seconds')`;
    expect((await read('by-hand')).parameter).toEqual({ limit: 7 });
    await api.database.psql`DELETE FROM security_values WHERE name = 'by-hand'`;
    await api.database.psql`SELECT cache_barrier('30 seconds')`;
    expect(await read('by-hand')).toBeNull();
  });
});

describe('the schema of a parameter', () => {
  const policy = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: {
      minLength: { type: 'integer', minimum: 8 },
      words: { type: 'array', items: { $ref: '#/$defs/word' }, uniqueItems: true },
      'a/b': { type: 'object', propertyNames: { pattern: '^[a-z]+$' } },
    },
    required: ['minLength'],
    additionalProperties: false,
    $defs: { word: { type: 'string', pattern: '^[a-z]{3,}$' } },
  };

  it('is kept, and goes on to be satisfied by what is put later', async () => {
    expect((await put('policy', { minLength: 12 }, { schema: policy })).securityValue.schema).toEqual(policy);
    const refused = await put('policy', { minLength: 7 });
    expect(refused).toMatchObject({ __typename: 'ValidationError', path: ['parameter', 'minLength'] });
    expect(refused.message).toContain('/minLength must be >= 8');
    expect((await read('policy')).parameter).toEqual({ minLength: 12 });
    expect((await put('policy', { minLength: 9, words: ['abc'] })).securityValue.schema).toEqual(policy);
  });

  it.each([
    [{}, ['parameter'], "must have required property 'minLength'"],
    [{ minLength: 8, more: 1 }, ['parameter'], 'must NOT have additional properties'],
    [{ minLength: 8, words: ['abc', 'abc'] }, ['parameter', 'words'], 'must NOT have duplicate items'],
    [{ minLength: 8, words: ['abc', 'NOT'] }, ['parameter', 'words', '1'], 'must match pattern'],
    [{ minLength: 8, 'a/b': { A: 1 } }, ['parameter', 'a/b'], 'must match pattern'],
  ])('refuses %j with the place and the reason, without the value', async (parameter, path, reason) => {
    const refused = await put('refusing', parameter, { schema: policy });
    expect(refused).toMatchObject({ __typename: 'ValidationError', path });
    expect(refused.message).toContain(reason);
    expect(refused.message).not.toContain('NOT"');
    expect(await read('refusing')).toBeNull();
  });

  it('is replaced by another, and taken away by {}', async () => {
    await put('looser', 5, { schema: { type: 'integer' } });
    expect((await put('looser', 'text')).__typename).toBe('ValidationError');
    expect((await put('looser', 'text', { schema: { type: 'string' } })).securityValue.parameter).toBe('text');
    expect((await put('looser', [1], { schema: {} })).securityValue).toMatchObject({ parameter: [1], schema: {} });
  });

  it('must be satisfied by the parameter that it comes with', async () => {
    await put('strict', 5);
    const refused = await put('strict', 'text', { schema: { type: 'integer' } });
    expect(refused).toMatchObject({ __typename: 'ValidationError', path: ['parameter'] });
    expect(await read('strict')).toMatchObject({ parameter: 5, schema: null });
  });

  const nested = (levels: number): object => (levels === 0 ? { type: 'string' } : { items: nested(levels - 1) });
  it.each([
    [5, '# is no schema'],
    [[], '# is no schema'],
    [{ type: 'whole' }, 'must be equal to one of the allowed values'],
    [{ properties: { a: 5 } }, '#/properties/a is no schema'],
    [{ properties: [] }, '#/properties must be an object of schemas'],
    [{ allOf: { type: 'string' } }, '#/allOf must be a list of schemas'],
    [{ minimum: 'x' }, 'minimum must be number'],
    [{ required: 'x' }, 'required must be array'],
    [{ minLenght: 8 }, '#/minLenght is no keyword that is taken here'],
    [{ $id: 'https://example.com/x' }, '#/$id is no keyword'],
    [{ $dynamicRef: '#x' }, '#/$dynamicRef is no keyword'],
    [{ $ref: 'https://example.com/schema.json' }, 'nothing is fetched'],
    [{ properties: { a: { $ref: 'file:///etc/passwd' } } }, '#/properties/a/$ref must lead to a place in this schema'],
    [{ $ref: '#/$defs/none' }, "can't resolve reference"],
    [{ $ref: '#' }, 'came to no end'],
    [{ $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } }, $ref: '#/$defs/a' }, 'came to no end'],
    [{ $schema: 'http://json-schema.org/draft-07/schema#' }, '2020-12/schema", or left out'],
    [{ format: 'regex' }, 'the formats are date, date-time'],
    [{ pattern: '(' }, 'no regular expression'],
    [{ pattern: 'a'.repeat(201) }, 'at most 200 characters'],
    [{ patternProperties: { '[': {} } }, 'no regular expression'],
    [nested(5), undefined],
  ])('%j is refused with a reason when it is not one', async (schema, reason) => {
    const answer = await put('schemas', 'text', { schema });
    if (reason === undefined) expect(answer.__typename).toBe('PutParameterPayload');
    else {
      expect(answer).toMatchObject({ __typename: 'ValidationError', path: ['schema'] });
      expect(answer.message).toContain(reason);
    }
  });

  it('need not define what it requires', async () => {
    const schema = { required: ['a'], properties: { ab: {} }, patternProperties: { '^a': {} } };
    expect((await put('loose', { a: 1 }, { schema })).__typename).toBe('PutParameterPayload');
    expect((await put('loose', { b: 1 })).path).toEqual(['parameter']);
  });

  it('takes keywords as names of properties, and data that looks like schemas', async () => {
    const schema = {
      properties: { $ref: { type: 'string' }, $id: true, pattern: { enum: [{ $ref: 'https://example.com' }, '('] } },
      default: { $id: 'x' },
    };
    expect((await put('names', { $ref: 'x', pattern: '(' }, { schema })).__typename).toBe('PutParameterPayload');
  });

  it.each([
    ['date', ['2024-02-29'], ['2023-02-29', '24-02-29']],
    ['date-time', ['2024-02-29T23:59:59Z', '2024-02-29T23:59:59.123-03:00'], ['2024-02-29', '2024-13-01T00:00:00Z']],
    ['email', ['a@example.com'], ['a@b', 'a b@example.com', '@example.com']],
    ['hostname', ['example.com', 'localhost'], ['-a.com', 'a..b', '']],
    ['ipv4', ['10.0.0.1'], ['10.0.0.256', '::1']],
    ['ipv6', ['::1'], ['10.0.0.1', ':::']],
    ['uri', ['https://example.com/a?b'], ['/a', 'https://exa mple.com']],
    ['uuid', ['123e4567-e89b-12d3-a456-426614174000'], ['123e4567']],
  ])('checks the format %s', async (format, good, bad) => {
    for (const text of good)
      expect((await put('format', text, { schema: { format } })).__typename).toBe('PutParameterPayload');
    for (const text of bad) expect((await put('format', text, { schema: { format } })).path).toEqual(['parameter']);
  });

  it.each([
    ['a pattern that backtracks', { pattern: '^(a+)+$' }, `${'a'.repeat(60)}!`],
    ['a pattern of names that backtracks', { patternProperties: { '^(a+)+$': {} } }, { [`${'a'.repeat(60)}!`]: 1 }],
    [
      'alternatives that multiply',
      {
        $defs: {
          x: {
            anyOf: [
              { items: { $ref: '#/$defs/x' }, type: 'array', maxItems: 0 },
              ...Array.from({ length: 8 }, () => ({
                type: 'array',
                items: { $ref: '#/$defs/x' },
                minItems: 1,
                contains: { const: 1 },
              })),
            ],
          },
        },
        $ref: '#/$defs/x',
      },
      Array.from({ length: 25 }).reduce<unknown>((inner) => [inner, inner === 0 ? 0 : 2], 0),
    ],
  ])('cannot hold the gateway up by %s', async (_, schema, parameter) => {
    const startedMs = performance.now();
    const refused = await put('slow', parameter, { schema });
    expect(refused).toMatchObject({ __typename: 'ValidationError', path: ['schema'] });
    expect(refused.message).toContain('took longer than 1000 ms');
    expect(performance.now() - startedMs).toBeLessThan(15_000); // unbounded, it would take days
    expect((await put('slow', 'fine', { schema: { pattern: '^f' } })).__typename).toBe('PutParameterPayload');
  });
});
