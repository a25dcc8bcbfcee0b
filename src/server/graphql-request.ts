// A GraphQL request that has passed the guards of the edge: what it asks, for whom, and in which form.

import type { MediaType } from './accept.js';
import type { Guest } from './door.js';
import type { Exchange } from './exchange.js';
import type { Params } from './params.js';

export interface GraphQLRequest<Caller extends object> {
  readonly exchange: Exchange;
  readonly params: Params & { readonly query: string };
  readonly guest: Guest<Caller>;
  readonly accepted: readonly MediaType[];
  readonly traced: boolean;
}
