// Texts that nobody in good faith sends, and what becomes of a good text by a few slips and blows.
import fc from 'fast-check';

export const hostileText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('__proto__', 'constructor', 'toString', '\0', '\ud800', '\udfff', '\u202e', '\ufeff', '', ' ', '%00'),
);

type Blow = (text: string, at: number, length: number, other: string) => string;

const blows: readonly Blow[] = [
  (text, at, length) => text.slice(0, at) + text.slice(at + length),
  (text, at, length) => text.slice(0, at + length) + text.slice(at),
  (text, at, length, other) => text.slice(0, at) + other + text.slice(at + length),
  (text, at, _, other) => text.slice(0, at) + other + text.slice(at),
  (text, at) => text.slice(0, at),
  (text, at, length) => text.slice(0, at) + text.slice(at, at + length).repeat(20) + text.slice(at + length),
];

/** Texts of `good` as they are, and after up to three blows that put `words` or anything else in some places. */
export function battered(good: fc.Arbitrary<string>, ...words: readonly string[]): fc.Arbitrary<string> {
  const other = fc.oneof(hostileText, fc.constantFrom('', ...words));
  const blow = fc.tuple(fc.nat({ max: blows.length - 1 }), fc.nat(), fc.nat({ max: 12 }), other);
  return fc.tuple(good, fc.array(blow, { maxLength: 3 })).map(([text, all]) =>
    all.reduce((hurt, [kind, place, length, put]) => {
      const at = place % (hurt.length + 1);
      return blows[kind]?.(hurt, at, length, put) ?? hurt;
    }, text),
  );
}

/** JSON in which these names occur, at any depth. */
export function jsonWith(...names: readonly string[]): fc.Arbitrary<unknown> {
  return fc.letrec<{ json: unknown }>((tie) => ({
    json: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom<unknown>(null, true, false, 0, -1, Number.MAX_VALUE, 2 ** 53, '', 'on', ...names),
      hostileText,
      fc.double(),
      fc.array(tie('json'), { maxLength: 4 }),
      fc.dictionary(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...names) }, hostileText), tie('json'), {
        maxKeys: 6,
      }),
    ),
  })).json;
}
