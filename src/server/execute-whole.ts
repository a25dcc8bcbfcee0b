// The fields of an object while some of them are still promised.

export type Results = Record<string, unknown>;

/** `results` once what is promised under `key`, and nowhere else, is there. */
export async function wholeWith(results: Results, key: string): Promise<Results> {
  results[key] = await results[key];
  return results;
}

/** `results` once all that is promised in it is there. */
export async function whole(results: Results): Promise<Results> {
  const values = await Promise.all(Object.values(results));
  let at = 0;
  for (const key of Object.keys(results)) results[key] = values[at++];
  return results;
}
