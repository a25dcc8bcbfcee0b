// Which menus are asked for: a few of them most of the time, as in real traffic, and some that nobody has asked for.
import { zipf as zipfOf } from '../support/random.js';

export { seeded } from '../support/random.js';

/** Menus that are read again and again. */
export const HOT = 1_000;
/** Menus that are there to be asked for once. */
export const COLD = 6_000;
export const ITEMS = 10;

export const nameOf = (menu: number): string => `menu-${menu}`;

/** Hot menus by Zipf's law: the n-th is asked for in proportion to 1/n. */
export function zipf(random: () => number): () => string {
  const hot = zipfOf(random, HOT);
  return () => nameOf(hot());
}
