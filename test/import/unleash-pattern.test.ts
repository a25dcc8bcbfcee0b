// Regular expressions spelt out as rules, against the engine of the language.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compileFlag } from '../../src/resolvers/flag-compiled.js';
import { definitionFaults } from '../../src/resolvers/flag-definition.js';
import { patternRule } from '../../src/resolvers/import/unleash-pattern.js';
import { Inexpressible } from '../../src/resolvers/import/unleash-rule.js';

const onOff = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' };

function matching(pattern: string, anyCase = false): (text: string) => unknown {
  const rule = patternRule(pattern, anyCase, { var: 'text' }, () => {});
  const definition = { ...onOff, targeting: { if: [rule, 'on', 'off'] } };
  expect([...definitionFaults(definition, [])]).toEqual([]);
  const { evaluate } = compileFlag({ key: 'f', public: true, enabled: true, definition, version: '1' });
  return (text) => {
    const { value, errorCode } = evaluate({ text }, false);
    return errorCode ?? value;
  };
}

const PATTERNS = [
  '^cat$',
  '^cat',
  'cat$',
  'cat',
  '^(foo|fo)$',
  '^(ab)?c$',
  '^a{2,4}$',
  '^a{3}',
  '^user\\d{3}$',
  '^[abc]{2}$',
  '^[^abc].$',
  '^[a-c-]x?$',
  '(a|b)c$',
  '^(?:a|bc)[.]b$',
  '^a\\.b\\$$',
  '^a(b(c|a)){1,2}$',
  'a|cat',
  '^\\w[.]$',
];

it.each(PATTERNS)('%s matches what it matches', (pattern) => {
  const engine = new RegExp(pattern);
  const matches = matching(pattern);
  const texts = fc.oneof(
    fc.string({ unit: fc.constantFrom(...'abcfotxuser123.$-\nA'), maxLength: 8 }),
    fc.stringMatching(engine, { maxLength: 12 }),
    fc.constantFrom('cat', 'a cat', 'cats', 'fo', 'foo', 'c', 'abc', 'aaaa', 'user123', 'user12'),
  );
  // An empty value counts as none.
  fc.assert(
    fc.property(texts, (text) => text === '' || matches(text) === engine.test(text)),
    { numRuns: 300, seed: 7 },
  );
});

it('goes by letters in either case where the constraint or the pattern says so', () => {
  for (const matches of [
    matching('^a[b]c$', true),
    matching('(?i)^a[b]c$'.replace('(?i)^', '^(?i)')),
    matching('(?i)abC$'),
  ]) {
    expect(['abc', 'aBC', 'ABC'].map(matches)).toEqual([true, true, true]);
    expect(['ab', 'abcd', 'xbc'].map(matches)).toEqual([false, false, false]);
  }
});

it('never matches by a pattern that RE2 does not take, and says so', () => {
  for (const pattern of ['(regex', 'regex)', '^(?=a)b$', '^(?!a)', '(?<=a)b', '^(a)\\1$']) {
    const notes: string[] = [];
    expect(patternRule(pattern, false, { var: 'text' }, (note) => notes.push(note))).toBe(false);
    expect(notes).toEqual([expect.stringContaining('RE2')]);
  }
});

it('matches a dot with a line break only where the pattern says so', () => {
  expect([matching('^a.b$')('a\nb'), matching('^(?s)a.b$')('a\nb'), matching('^a.b$')('a-b')]).toEqual([
    false,
    true,
    true,
  ]);
});

it.each([
  '^[^@]+@[^@]+$',
  'a*',
  '^a.*b$',
  '\\bcat\\b',
  '(?m)^foo$',
  '^a|b$',
  '^\\D$',
  '[ab]c',
  '^a{2,}$',
  '^a{2}?$',
  '^(a|b|c|d|e){4}$',
  '^[[:space:]]$',
  '^a$b$',
  '^$',
  '',
  '^😀$',
  `^${'a'.repeat(65)}$`,
])('says that it cannot tell %s', (pattern) => {
  expect(() => patternRule(pattern, false, { var: 'text' }, () => {})).toThrow(Inexpressible);
});
