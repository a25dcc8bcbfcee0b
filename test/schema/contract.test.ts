// What clients were promised: names, types and nullability of contract.graphql. The schema may have more, never less.
import { readFile } from 'node:fs/promises';
import { BreakingChangeType, buildSchema, findBreakingChanges, isEnumType, isObjectType } from 'graphql';
import { beforeAll, expect, it } from 'vitest';
import { schema } from '../../src/schema/index.js';

let contract: ReturnType<typeof buildSchema>;
beforeAll(async () => {
  contract = buildSchema(await readFile(new URL('contract.graphql', import.meta.url), 'utf8'));
});

it('the schema breaks nothing that clients rely on', () => {
  expect(findBreakingChanges(contract, schema).map(({ description }) => description)).toEqual([]);
});

it('defaults of arguments are those of the contract', () => {
  const changed = findBreakingChanges(contract, schema).filter(
    ({ type }) => type === BreakingChangeType.REQUIRED_ARG_ADDED || type === BreakingChangeType.ARG_CHANGED_KIND,
  );
  expect(changed).toEqual([]);
  for (const type of Object.values(contract.getTypeMap())) {
    const served = schema.getType(type.name);
    if (!isObjectType(type) || !isObjectType(served) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      for (const arg of field.args) {
        const has = served.getFields()[field.name]?.args.find(({ name }) => name === arg.name);
        const place = `${type.name}.${field.name}.${arg.name}`;
        expect([place, String(has?.defaultValue)]).toEqual([place, String(arg.defaultValue)]);
      }
    }
  }
});

it('every result union holds its payload and the five errors', () => {
  const results = Object.values(schema.getMutationType()?.getFields() ?? {}).map(({ name }) => {
    const union = schema.getType(`${name.charAt(0).toUpperCase()}${name.slice(1)}Result`);
    return [
      name,
      union && 'getTypes' in union
        ? union
            .getTypes()
            .map((type) => type.name.replace(/^.*Payload$/, 'Payload'))
            .sort()
        : [],
    ];
  });
  expect(results.length).toBeGreaterThan(20);
  for (const [name, members] of results) {
    const errors = ['ConflictError', 'ForbiddenError', 'IdempotencyError', 'NotFoundError'];
    expect([name, members]).toEqual([name, [...errors, 'Payload', 'ValidationError']]);
  }
});

it('the scalars are those of the contract, and no enum has lost a value', () => {
  for (const type of Object.values(contract.getTypeMap())) {
    const served = schema.getType(type.name);
    expect([type.name, served?.constructor.name]).toEqual([type.name, type.constructor.name]);
    if (isEnumType(type) && isEnumType(served)) {
      expect(served.getValues().map(({ name }) => name)).toEqual(
        expect.arrayContaining(type.getValues().map(({ name }) => name)),
      );
    }
  }
});
