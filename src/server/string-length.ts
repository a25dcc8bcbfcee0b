// The longest string that one place may hold. Fields have limits of their own; this one holds wherever none is declared.

/** Says which string in `value`, which is JSON of bounded depth under `place`, is too long; undefined where none is. */
export function longStringIn(value: unknown, place: string, maxChars: number): string | undefined {
  if (typeof value === 'string') {
    return value.length > maxChars ? `${place} is longer than ${maxChars} characters; shorten it.` : undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, member] of Object.entries(value)) {
    if (name.length > maxChars) return `A name in ${place} is longer than ${maxChars} characters; shorten it.`;
    const found = longStringIn(
      member,
      Array.isArray(value) ? `${place}[${name}]` : `${place}.${shown(name)}`,
      maxChars,
    );
    if (found) return found;
  }
  return undefined;
}

const shown = (name: string) => (/^\w{1,60}$/.test(name) ? name : '…');
