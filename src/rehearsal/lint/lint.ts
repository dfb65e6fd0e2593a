import type { SqlStatement } from "../../ports/sql-reader.ts";
import { applyAllows } from "./allow.ts";
import type { Finding, LintFile, Opinions } from "./finding.ts";
import { Known } from "./known.ts";
import { findingAt } from "./place.ts";
import { STATEMENT_RULES } from "./rules/all.ts";
import { mergeOpinions } from "./merge-opinions.ts";
import type { Seen } from "./seen.ts";

/** The three files of a migration, parsed. A file that could not be parsed is left out. */
export type LintTrio = { readonly up?: LintFile; readonly verify?: LintFile; readonly down?: LintFile };

/**
 * Judges all migrations of one component, in their order. Each statement is seen with what those before it have made of
 * tables, locks and settings. `opinions` are another linter's.
 */
export function lint(trios: readonly LintTrio[], opinions: Opinions = []): readonly Finding[] {
  const known = new Known();
  return trios.flatMap(({ up, verify, down }) => {
    known.nextMigration();
    const found = [
      ...(up === undefined ? [] : lintFile(up, known, opinions)),
      // The runner verifies in the transaction of the change.
      ...(verify === undefined ? [] : lintFile(verify, known, opinions)),
    ];
    return down === undefined ? found : [...found, ...lintFile(down, known.turnedBack(), opinions)];
  });
}

function lintFile(file: LintFile, known: Known, opinions: Opinions): readonly Finding[] {
  const found = file.statements.flatMap((statement, index) => {
    if (!file.migration.transactional) known.beginTransaction();
    const number = index + 1;
    return unfold(statement, known).flatMap(({ statement: one, isInner }) => {
      const findings = judge({ statement: one, number, file, known, isInner });
      known.learn(one, number);
      return findings;
    });
  });
  return applyAllows(file, mergeOpinions(file, found, opinions));
}

const judge = (seen: Seen): readonly Finding[] =>
  STATEMENT_RULES.flatMap((rule) => seen.statement.acts.flatMap((act) => rule(act, seen))).map((found) =>
    findingAt(seen.file, seen.number, {
      ...found,
      at: found.at ?? seen.statement.at,
      end: found.end ?? seen.statement.end,
    }),
  );

type Unfolded = { readonly statement: SqlStatement; readonly isInner: boolean };

/** A statement, what its body runs, and what the functions run that it calls. */
function unfold(statement: SqlStatement, known: Known, path: readonly string[] = []): readonly Unfolded[] {
  const isStored = statement.acts.some((act) => act.kind === "create-function");
  const own = { statement, isInner: path.length > 0 };
  if (isStored) return [own];
  const inner = statement.inner.flatMap((one) => unfold(one, known, [...path, "do"]));
  const called = statement.calls.flatMap((name) => {
    const body = path.includes(name) ? undefined : known.functionOf(name);
    // What a function runs is told at the place that calls it.
    return (body?.inner ?? []).flatMap((one) =>
      unfold({ ...one, at: statement.at, end: statement.end }, known, [...path, name]),
    );
  });
  return [own, ...inner, ...called];
}
