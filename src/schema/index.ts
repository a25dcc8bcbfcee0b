// The door of the schema room: every domain's file registers with the builder, then the schema is built once.
import type { GraphQLSchema } from 'graphql';
import { builder } from './builder.js';
import './node.js';
import './menu.js';
import './menu-write.js';
import './bank-statement.js';
import './bank-statement-write.js';
import './token.js';
import './token-write.js';
import './flag.js';
import './security-value.js';
import './security-write.js';
import './secret.js';
import './cache.js';
import './cache-write.js';
import './change.js';
import './subscription.js';

export { codedError } from './errors.js';

builder.queryType({ description: 'Reads go through the cache; listings over SQL say BYPASS in the trace.' });
builder.mutationType({ description: 'Each answers a payload with a receipt, or an error that the caller can mend.' });
builder.subscriptionType({
  description:
    'Answered as server-sent events, fed by the change log: they tell of mutations on any gateway and of SQL by whatever program. A stream that may have missed something ends with an error: read anew, then subscribe again.',
});

/** The whole schema. */
export const schema: GraphQLSchema = builder.toSchema();
