// Deny by default: nothing in the schema is reachable without somebody having said who may reach it.
import { isObjectType } from 'graphql';
import { describe, expect, it } from 'vitest';
import { SCOPES } from '../../src/resolvers/index.js';
import { schema } from '../../src/schema/index.js';

const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap(
  (type) => type ?? [],
);
const declared = (access: unknown) => [access].flat();

describe('every field declares who may ask for it', () => {
  for (const root of roots) {
    for (const field of Object.values(root.getFields())) {
      it(`${root.name}.${field.name} is public or names scopes that exist`, () => {
        const access = declared(field.extensions.access);
        expect(access.length).toBeGreaterThan(0);
        for (const one of access) expect(['public', ...SCOPES]).toContain(one);
      });
    }
  }

  const others = Object.values(schema.getTypeMap()).filter(
    (type) => isObjectType(type) && !roots.includes(type) && !type.name.startsWith('__'),
  );
  for (const type of others) {
    it(`${type.name} is reached only through a guarded field, and says so`, () => {
      expect(type.extensions.access).toBe('inherited');
    });
  }
});

it('no mutation is public', () => {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    expect(declared(field.extensions.access)).not.toContain('public');
  }
});
