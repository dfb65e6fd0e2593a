import type { Figure, Stage, Table } from "../bench.ts";

/** One group of figures. */
export type Part = { readonly figures: readonly Figure[]; readonly tables: readonly Table[]; readonly raw: unknown };

/** What was tried so many times: what came of it, and why it could not be measured. */
export type Tries<T> = { readonly done: readonly T[]; readonly broken: readonly string[] };

export type Trial<T> = {
  readonly name: string;
  readonly run: () => Promise<T>;
  readonly inShort: (result: T) => string;
};

/** One that breaks is told and kept apart, and the others go on. */
export async function tried<T>(count: number, { name, run, inShort }: Trial<T>, stage: Stage): Promise<Tries<T>> {
  const done: T[] = [];
  const broken: string[] = [];
  for (let number = 1; number <= count; number += 1) {
    try {
      const result = await run();
      done.push(result);
      stage.say(`${name}, ${number} of ${count}: ${inShort(result)}`);
    } catch (error) {
      stage.signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      broken.push(why);
      stage.keep(stage.dir);
      stage.say(`${name}, ${number} of ${count}: BROKEN: ${why}`);
    }
  }
  return { done, broken };
}

/** Where something broke, no goal was reached. */
export const overAll = (figures: readonly Figure[], broken: readonly string[]): readonly Figure[] =>
  broken.length === 0
    ? figures
    : figures.map(({ figure, measured, goal, ok }) => ({
        figure,
        measured: `${measured}; ${broken.length} more could not be measured: ${broken[0]?.split("\n")[0] ?? ""}`,
        goal,
        ok: ok === undefined ? undefined : false,
      }));
