import type { TracedRun, TracedStatement } from "../../ports/trials.ts";
import type { Drill } from "../drill.ts";
import { measuredOf } from "./measured.ts";
import type { TrialFinding, TrialResult, TriedLoad, TriedMigration } from "./result.ts";

/** What was tried on clones, as drills: what blocks failed, each by itself; the rest tells what was measured. */
export function drillsOfTrial(result: TrialResult): readonly Drill[] {
  const blocks = result.findings.filter(({ severity }) => severity === "block");
  const isBlocked = (migration: string): boolean => blocks.some((finding) => finding.migration === migration);
  return [
    ...blocks.map((finding) => failed(finding)),
    ...result.migrations.filter(({ name }) => !isBlocked(name)).map((migration) => tried(migration, result)),
    ...result.loads.filter(({ names }) => !names.some((name) => isBlocked(name))).map((load) => loaded(load)),
    ...result.notes.map((note): Drill => ({
      ...stem("left out", result.store),
      outcome: "skipped",
      ms: 0,
      detail: note,
    })),
  ];
}

const stem = (name: string, step: string) => ({ name, step, kind: "trial" as const });

const failed = (finding: TrialFinding): Drill => ({
  ...stem(`${finding.rule}: ${finding.migration ?? "before the first migration"}`, finding.migration ?? finding.file),
  outcome: "failed",
  ms: 0,
  detail: `${placeOf(finding)}${finding.message}; ${finding.hint}`,
});

const placeOf = ({ file, line, statement }: TrialFinding): string =>
  line === 0 ? `${file}: ` : `${file}:${line} statement ${statement}: `;

function tried(migration: TriedMigration, { asked, findings }: TrialResult): Drill {
  const ways = [migration.up, migration.down, migration.again].flatMap((run) => run ?? []);
  const states = asked.filter(({ after }) => after === migration.name);
  const warnings = findings.filter((one) => one.severity === "warn" && one.migration === migration.name);
  return {
    ...stem(
      `on a clone: ${migration.name} ${migration.down === undefined ? "up" : "up, down and up again"}`,
      migration.name,
    ),
    outcome: "passed",
    ms: ways.reduce((sum, { ms }) => sum + ms, 0),
    detail: [
      ...statementsOf(migration.up),
      ...states.map(
        ({ release, direction, statements, samples }) =>
          `${release} asked after ${direction}: ${statements} statements, ${samples} samples, none broken`,
      ),
      ...warnings.map((finding) => `warned: ${placeOf(finding)}${finding.message}`),
    ].join("\n"),
    statements: measuredOf(migration.name, migration.up),
  };
}

const statementsOf = ({ statements }: TracedRun): readonly string[] => statements.map((one) => lineOf(one));

function lineOf({ number, firstLine, ms, locks, rewritten, rowsTouched, seen }: TracedStatement): string {
  const held = locks.map(({ table, mode }) => `${mode} on ${table}`).join(", ");
  const facts = [
    held === "" ? "no lock on what stood before" : held,
    ...(rewritten.length === 0 ? [] : [`rewrote ${rewritten.join(", ")}`]),
    ...(rowsTouched === 0 ? [] : [`${rowsTouched} rows`]),
    `${ms.toFixed(1)} ms`,
    ...(seen === "whole" ? [] : [`seen ${seen}`]),
  ];
  return `${number} ${firstLine}: ${facts.join("; ")}`;
}

function loaded(load: TriedLoad): Drill {
  return {
    ...stem(`under order load: ${load.names.join(", ")} ${load.direction}`, load.step),
    outcome: "passed",
    ms: load.migrationMs,
    detail: `${load.failed} of ${load.calls} calls failed, the slowest took ${Math.round(load.worstMs)} ms; ${load.tries} tries${load.waitedFor.length === 0 ? "" : `, waited for ${load.waitedFor.join(", ")}`}`,
  };
}
