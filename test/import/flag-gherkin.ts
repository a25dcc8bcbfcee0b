// Reads Gherkin as far as the evaluator suite of flagd uses it: backgrounds, scenarios, outlines with tagged examples,
// and tables.

export interface Case {
  /** Feature, scenario and, of an outline, the row. */
  readonly title: string;
  readonly tags: readonly string[];
  readonly steps: readonly Step[];
}

export interface Step {
  /** Without its keyword. */
  readonly text: string;
  readonly table: readonly Row[];
}

export type Row = Readonly<Record<string, string>>;

interface Scenario {
  readonly name: string;
  readonly tags: readonly string[];
  readonly steps: Step[];
  readonly examples: { readonly tags: readonly string[]; readonly rows: Row[] }[];
}

/** Every case of a feature: one per scenario, and per row of an outline. */
export function casesOf(text: string): Case[] {
  let feature = '';
  let featureTags: readonly string[] = [];
  let tags: string[] = [];
  let header: readonly string[] | undefined;
  const background: Step[] = [];
  const scenarios: Scenario[] = [];
  let steps = background;
  for (const line of text.split('\n').map((each) => each.trim())) {
    const [, keyword = '', rest = ''] =
      /^(Feature|Background|Scenario Outline|Scenario|Examples):\s*(.*)$/.exec(line) ?? [];
    const [, step] = /^(?:Given|When|Then|And)\s+(.*)$/.exec(line) ?? [];
    const scenario = scenarios.at(-1);
    if (line.startsWith('@')) tags.push(...line.split(/\s+/));
    else if (line.startsWith('|')) {
      const cells = line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim());
      const rows =
        steps === scenario?.steps && scenario.examples.length > 0
          ? scenario.examples.at(-1)?.rows
          : steps.at(-1)?.table;
      if (!header) header = cells;
      else (rows as Row[]).push(Object.fromEntries(header.map((name, at) => [name, cells[at] ?? ''])));
    } else {
      header = undefined;
      if (keyword === 'Feature') [feature, featureTags, tags] = [rest, tags, []];
      else if (keyword === 'Background') steps = background;
      else if (keyword === 'Examples') {
        scenario?.examples.push({ tags, rows: [] });
        tags = [];
      } else if (keyword !== '') {
        scenarios.push({ name: rest, tags: [...featureTags, ...tags], steps: [], examples: [] });
        steps = scenarios.at(-1)?.steps ?? background;
        tags = [];
      } else if (step !== undefined) steps.push({ text: step, table: [] });
    }
  }
  return scenarios.flatMap(({ name, tags, steps, examples }) => {
    const whole = [...background, ...steps];
    const title = `${feature}: ${name}`;
    if (examples.length === 0) return [{ title, tags, steps: whole }];
    return examples.flatMap(({ tags: more, rows }) =>
      rows.map((row) => ({
        title: `${title} (${Object.values(row).join(', ')})`,
        tags: [...tags, ...more],
        steps: whole.map((step) => ({ ...step, text: step.text.replace(/<([^>]+)>/g, (_, cell) => row[cell] ?? '') })),
      })),
    );
  });
}
