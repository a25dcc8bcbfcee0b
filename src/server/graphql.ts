// Runs a GraphQL request. A query that is answered in one piece is carried out by its plan; everything else, and whatever
// comes to an error, takes its form from Yoga. Bodies, limits and identity are settled before.

import { getVariableValues } from 'graphql';
import type { Engine, EngineOptions } from './engine.js';
import { carryOut } from './execute.js';
import { KnownDocuments, nameOperation } from './known-documents.js';
import { type Weight, weigher } from './weight.js';
import { throughYoga } from './yoga.js';

/** A GraphQL engine for `schema`. A resolver's context has the caller's own properties. */
export function makeEngine<Caller extends object>(options: EngineOptions<Caller>): Engine<Caller> {
  const { schema } = options;
  const documents = new KnownDocuments(schema, options.documents);
  const weigh = weigher(options);
  const form = throughYoga(options, documents, weigh);
  return {
    run: async (request) => {
      const { exchange, params, guest, accepted, traced } = request;
      const media = accepted.find((type) => type !== 'text/event-stream');
      const query = media && documents.query(params.query, params.operationName);
      if (!query) return form(request);
      const { operation, plan } = query;
      const { coerced: variables } = getVariableValues(
        schema,
        operation.variableDefinitions ?? [],
        params.variables ?? {},
      );
      const root = variables && plan.root(variables);
      if (!root) return form(request);
      nameOperation(exchange, operation);
      let weight: Weight;
      try {
        weight = await weigh(request, query.tree, operation);
      } catch (error) {
        return form(request, { kind: 'refused', error });
      }
      const result = await carryOut(plan, root, { context: guest.caller, variables });
      if (result.errors || traced) return form(request, { kind: 'executed', result, weight });
      const headers = [['content-type', `${media}; charset=utf-8`]] as const;
      return { kind: 'whole', status: 200, headers, body: JSON.stringify(result), faultless: true, weight };
    },
  };
}
