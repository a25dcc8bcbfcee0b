// The table of the gate in docs/freshness.md: what it says was found by a run of the gate, and is tried again by the next.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('../../docs/freshness.md', import.meta.url));
const [BEGIN, END] = ['<!-- npm run simulate -- --gate --record writes this table -->', '<!-- end of the table -->'];

/** What finds each mutant, by its name, as on record. */
export function readTable() {
  const rows = tableIn(readFileSync(file, 'utf8')).matchAll(/^\| [\d]+ \| `([\w-]+)` \| .* \| (.*) \|$/gm);
  return new Map([...rows].map(([, name, how]) => [name, how]));
}

/** One row per mutant, by rule; a mutant that nothing found says so. */
export function writeTable(mutants, found) {
  const sorted = [...mutants].sort((one, other) => Number(one.rule) - Number(other.rule));
  const rows = sorted.map(
    ({ name, rule, clause }) => `| ${rule} | \`${name}\` | ${clause} | ${found.get(name) ?? 'nothing'} |`,
  );
  const head = ['| rule | clause | switched off | found by |', '|---|---|---|---|'];
  const text = readFileSync(file, 'utf8');
  const table = [BEGIN, '', ...head, ...rows, '', END].join('\n');
  const before = `${BEGIN}${tableIn(text)}${END}`;
  writeFileSync(
    file,
    text.replace(before, () => table),
  );
}

function tableIn(text) {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error('docs/freshness.md has no place for the table of the gate.');
  return text.slice(from + BEGIN.length, to);
}
