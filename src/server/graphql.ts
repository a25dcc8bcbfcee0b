// Runs a GraphQL request. A query that is answered in one piece is carried out by its plan; everything else, and whatever
// comes to an error, takes its form from Yoga. Bodies, limits and identity are settled before.

import type { Engine, EngineOptions } from './engine.js';
import { carryOut } from './execute.js';
import { jsonOf, KeptTexts } from './kept-text.js';
import { KnownDocuments, nameOperation } from './known-documents.js';
import { type Weight, weigher } from './weight.js';
import { throughYoga } from './yoga.js';

/** A GraphQL engine for `schema`. A resolver's context has the caller's own properties. */
export function makeEngine<Caller extends object>(options: EngineOptions<Caller>): Engine<Caller> {
  const documents = new KnownDocuments(options.schema, options.documents);
  const weigh = weigher(options);
  const form = throughYoga(options, documents, weigh);
  const texts = new KeptTexts();
  return {
    run: async (request) => {
      const { exchange, params, guest, accepted, traced } = request;
      const media = accepted.find((type) => type !== 'text/event-stream');
      const query = media && documents.query(params.query, params.operationName);
      if (!query) return form(request);
      const { operation, plan } = query;
      const variables = query.variablesOf(params.variables ?? {});
      const root = variables && plan.root(variables);
      if (!root) return form(request);
      nameOperation(exchange, operation);
      let weight: Weight;
      try {
        weight = await weigh(request, query.tree, operation);
      } catch (error) {
        return form(request, { kind: 'refused', error });
      }
      const kept = { texts, met: false };
      const result = await carryOut(plan, root, { context: guest.caller, variables, kept });
      if (result.errors || traced) return form(request, { kind: 'executed', result, weight });
      const body = kept.met ? (jsonOf(result) ?? '') : JSON.stringify(result);
      const headers = [['content-type', `${media}; charset=utf-8`]] as const;
      return { kind: 'whole', status: 200, headers, body, faultless: true, weight };
    },
  };
}
