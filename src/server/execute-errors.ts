// Errors of fields, in the order of their coming. What fails below a place that has failed already is not told.

import type { GraphQLError } from 'graphql';
import type { Path } from './execute-info.js';

export class CollectedErrors {
  readonly errors: GraphQLError[] = [];
  readonly #places = new Set<Path | undefined>();

  /** Takes an error in the place that it leaves null; undefined means the whole answer. */
  add(error: GraphQLError, path: Path | undefined): void {
    if (this.#isNull(path)) return;
    this.#places.add(path);
    this.errors.push(error);
  }

  #isNull(path: Path | undefined): boolean {
    for (let place = path; place !== undefined; place = place.prev) if (this.#places.has(place)) return true;
    return this.#places.has(undefined);
  }
}
