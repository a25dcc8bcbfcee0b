// The schema is the documentation that GraphiQL shows: nothing in it goes without a description.
import {
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  specifiedScalarTypes,
} from 'graphql';
import { expect, it } from 'vitest';
import { schema } from '../../src/schema/index.js';

interface Described {
  readonly name: string;
  readonly description?: string | null | undefined;
}

/** Everything that a type has to say something about, by its place in the schema. */
function placesOf(type: GraphQLNamedType): readonly (readonly [string, Described])[] {
  const of = (parent: string, each: Described) => [`${parent}.${each.name}`, each] as const;
  if (isEnumType(type)) return type.getValues().map((value) => of(type.name, value));
  if (isInputObjectType(type)) return Object.values(type.getFields()).map((field) => of(type.name, field));
  if (!isObjectType(type) && !isInterfaceType(type)) return [];
  return Object.values(type.getFields()).flatMap((field) => [
    of(type.name, field),
    ...field.args.map((arg) => of(`${type.name}.${field.name}`, arg)),
  ]);
}

it('every type, field, argument and enum value has a description, which is a sentence', () => {
  const types = Object.values(schema.getTypeMap()).filter(
    (type) =>
      !type.name.startsWith('__') && !specifiedScalarTypes.includes(type as (typeof specifiedScalarTypes)[number]),
  );
  const places = types.flatMap((type) => [[type.name, type] as const, ...placesOf(type)]);
  expect(places.length).toBeGreaterThan(400);
  const wanting = places
    .filter(([, { description }]) => !/\S[.!?]$/.test(description?.trim() ?? ''))
    .map(([place]) => place);
  expect(wanting).toEqual([]);
});
