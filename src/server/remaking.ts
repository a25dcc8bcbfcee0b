// Requests that find the same answer outdated at the same time: one makes it anew, the others wait for that. Nobody takes
// over what another was answered: whoever has waited asks about the new answer as about any.

/** After so long the others go on by themselves: whatever it is that takes time, nobody waits for it twice. */
const PATIENCE_MS = 100;

export type Turn =
  /** Nobody makes it: the caller does, and says so when it is done, whatever came of it. */
  | { readonly kind: 'ours'; readonly done: () => void }
  /** Resolves when another is done with it, or patience is at its end. */
  | { readonly kind: 'theirs'; readonly ended: Promise<void> };

export class Remaking {
  readonly #underWay = new Map<string, { ended: Promise<void> | undefined; end: () => void }>();

  /** Whether the caller is to make what goes by this name, or somebody does. */
  turn(name: string): Turn {
    const making = this.#underWay.get(name);
    if (!making) {
      const ours = { ended: undefined, end: () => {} };
      this.#underWay.set(name, ours);
      const done = () => {
        if (this.#underWay.get(name) === ours) this.#underWay.delete(name);
        ours.end();
      };
      return { kind: 'ours', done };
    }
    making.ended ??= new Promise((resolve) => {
      const timer = setTimeout(resolve, PATIENCE_MS);
      making.end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    return { kind: 'theirs', ended: making.ended };
  }
}
