// An operation to begin with, as a tab of GraphiQL shows it.

export interface Example {
  /** What the operation shows, in a few words. */
  readonly title: string;
  readonly document: string;
  /** As JSON. */
  readonly variables?: string;
}

/** The operation as it stands in its tab, its title above it. */
export function exampleText({ title, document }: Example): string {
  return `${comment(title)}${document}\n`;
}

/** Says, above an operation, whose token it needs; no page holds one. */
export function tokenOf(role: string): string {
  return comment(
    `Needs a token of ${role}, printed at start: put "authorization": "Bearer …" into Headers below, beside what is there.`,
  );
}

/** Comment lines that fit GraphiQL's editor on a small screen. */
function comment(text: string): string {
  return text.replace(/(.{1,52})(?:\s|$)/g, '# $1\n');
}
