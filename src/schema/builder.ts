// The one schema builder, and the scalars that it knows.
import './access.js';
import './write-input.js';
import SchemaBuilder from '@pothos/core';
import type { Context, Json } from '../resolvers/index.js';
import { jsonScalar } from './json.js';
import { bigIntScalar, dateScalar, dateTimeScalar } from './scalars.js';

export const builder = new SchemaBuilder<{
  Context: Context;
  DefaultFieldNullability: false;
  DefaultInputFieldRequiredness: false;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    Date: { Input: string; Output: string };
    BigInt: { Input: bigint; Output: bigint | string | number };
    JSON: { Input: Json; Output: unknown };
  };
}>({ plugins: ['access', 'writeInput'], defaultFieldNullability: false });

builder.addScalarType('DateTime', dateTimeScalar);
builder.addScalarType('Date', dateScalar);
builder.addScalarType('BigInt', bigIntScalar);
builder.addScalarType('JSON', jsonScalar);
