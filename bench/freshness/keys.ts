// Which menus are asked for: a few of them most of the time, as in real traffic, and some that nobody has asked for.

/** Menus that are read again and again. */
export const HOT = 1_000;
/** Menus that are there to be asked for once. */
export const COLD = 6_000;
export const ITEMS = 10;

export const nameOf = (menu: number): string => `menu-${menu}`;

/** Numbers from 0 to 1, the same ones for the same seed. Source: mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Hot menus by Zipf's law: the n-th is asked for in proportion to 1/n. */
export function zipf(random: () => number): () => string {
  const shares: number[] = [];
  let sum = 0;
  for (let rank = 1; rank <= HOT; rank++) {
    sum += 1 / rank;
    shares.push(sum);
  }
  return () => {
    const wanted = random() * sum;
    let low = 0;
    let high = HOT - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((shares[middle] ?? sum) < wanted) low = middle + 1;
      else high = middle;
    }
    return nameOf(low);
  };
}
