import type { Problem } from "../../errors/problem.ts";
import type { Located } from "../located.ts";
import type { Environment, Migration, Plan, Releases } from "../../plan/model.ts";

/** Everything that rules look at. What was not given is not checked. */
export type Together = {
  readonly plan: Located<Plan>;
  readonly environment?: Located<Environment>;
  readonly releases?: Located<Releases>;
  /** Component → its migrations. */
  readonly migrations?: Readonly<Record<string, readonly Migration[]>>;
};

/** A rule reports every breach of it, each with its place. */
export type Rule = (given: Together) => readonly Problem[];
