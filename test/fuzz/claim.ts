// What is claimed of all inputs of one kind, and held against as many of them as one likes: by the tests a thousand, by
// `npm run fuzz` a million.
import type { IAsyncProperty, IProperty, Parameters } from 'fast-check';
import fc from 'fast-check';

export interface Claim {
  readonly title: string;
  /** Of all inputs of a run, so many parts are this claim's. */
  readonly parts: number;
  /** Rejects with the smallest input found that contradicts the claim. */
  readonly hold: (parameters: Pick<Parameters<unknown>, 'numRuns' | 'seed'>) => Promise<void>;
}

/** A claim that is made by a property of fast-check. */
export function claim<Inputs>(title: string, property: IProperty<Inputs> | IAsyncProperty<Inputs>, parts = 1): Claim {
  return {
    title,
    parts,
    hold: async (parameters) => {
      await fc.assert(property, { ...parameters, endOnFailure: false });
    },
  };
}
