// A document is refused in GraphQL's words or in ours, or it is valid, within the limits, and has a cost.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { buildClientSchema, GraphQLError, getOperationAST, introspectionFromSchema, validate } from 'graphql';
import { schema } from '../../src/schema/index.js';
import { parseDocument } from '../../src/server/document.js';
import { defaultLimits } from '../../src/server/limits.js';
import { costOf } from '../../src/server/operation-cost.js';
import { rootFieldsOf } from '../../src/server/operation-fields.js';
import { Refusal } from '../../src/server/refusal.js';
import { claim } from './claim.js';
import { hurtDocumentsOf } from './documents.js';

/** As clients know it: without anything that runs. */
export const knownSchema = buildClientSchema(introspectionFromSchema(schema));

export const documentClaims = [
  claim(
    'are refused in a sentence, or have a cost',
    fc.property(
      hurtDocumentsOf(knownSchema),
      fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.jsonValue()),
      (text, variables) => {
        try {
          const tree = parseDocument(text, { limits: defaultLimits, introspection: true });
          if (validate(schema, tree).length > 0) return;
          const operation = getOperationAST(tree);
          if (!operation) return;
          assert(costOf({ schema, tree, operation, variables }) >= 0);
          const named = [...rootFieldsOf(tree, operation).values()].reduce((sum, times) => sum + times, 0);
          assert(named >= 1 && named <= defaultLimits.rootFields);
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error;
          assert(error instanceof Refusal || error instanceof GraphQLError, String(error));
          assert.match(error.message, /\S/);
        }
      },
    ),
    0.5,
  ),
];
