// A dry run: the mutation runs as it would, up to where its entries would be fenced; then its transaction is rolled back.
import type { Loaded } from '../cache/index.js';

/** Ends the transaction of a dry run, and carries out of it what would have been. */
export class Rehearsed<Result> extends Error {
  override readonly name = 'Rehearsed';
  readonly result: Result;
  /** The version that stands; null where there is none. */
  readonly version: bigint | null;
  /** Values as the mutation would have left them, each with the name of its view. */
  readonly loaded: readonly (readonly [view: string, Loaded])[];
  constructor({ result, version, loaded }: Pick<Rehearsed<Result>, 'result' | 'version' | 'loaded'>) {
    super('A dry run was rolled back.');
    this.result = result;
    this.version = version;
    this.loaded = loaded;
  }
}
