import type { Fact, FactOf, TallyRow } from "../engine/fact.ts";
import type { Run } from "../engine/run.ts";
import { utc } from "../events/utc.ts";
import type { RunEvent } from "../events/event.ts";

export type ReportInput = {
  readonly run: Run;
  readonly facts: readonly Fact[];
  readonly events: readonly RunEvent[];
  /** How users' own client saw it, where somebody measured that (the demo does). Ready Markdown. */
  readonly asUsersSawIt?: string;
};

/** The incident report of one run, in Markdown: what happened, to whom, why, what was taken back and what stays. */
export function report(input: ReportInput): string {
  const sections = [head(input), impact(input), affected(input), input.asUsersSawIt ?? "", cure(input), notified(input), timeline(input)];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

function head({ run, facts }: ReportInput): string {
  const opened = facts.find((fact): fact is FactOf<"opened"> => fact.kind === "opened");
  const last = facts.at(-1);
  const rows = [
    `# ${run.graph.plan} on ${run.graph.environment}: ${outcomeOf(run)}`,
    outcomeText(run),
    [
      `- Run: \`${run.id}\``,
      `- From ${utc(facts[0]?.at ?? 0)} to ${utc(last?.at ?? 0)} (UTC)`,
      `- Plan: \`${opened?.planFingerprint ?? "?"}\`, midflight ${opened?.version ?? "?"}`,
      ...(opened?.override === undefined ? [] : [`- **Without a certificate**, because: ${opened.override}`]),
      `- Cause: ${run.cause?.text ?? "none, nothing was turned back"}`,
    ].join("\n"),
  ];
  return rows.join("\n\n");
}

export const outcomeOf = (run: Run): string => (run.phase.kind === "ended" ? run.phase.outcome : run.phase.kind);

const outcomeText = (run: Run): string => {
  if (run.phase.kind === "ended") return `${run.phase.text}.`;
  return run.phase.kind === "halted" ? `Halted: ${run.phase.why}. \`midflight resume ${run.id}\` goes on.` : "The run is under way.";
};

/** From the first to the last second in which users' operations failed more often than the plan's baseline allows. */
function impact({ run, facts }: ReportInput): string {
  const tallies = facts.filter((fact): fact is FactOf<"tally"> => fact.kind === "tally");
  const verdicts = facts.filter((fact): fact is FactOf<"verdict"> => fact.kind === "verdict");
  const bad = verdicts.filter((fact) => fact.verdict.state !== "healthy");
  const first = bad[0];
  if (first === undefined) return "## Impact\n\nNone that the guard saw: it never said anything but healthy.";
  const healed = verdicts.find((fact) => fact.at > (bad.at(-1)?.at ?? 0) && fact.verdict.state === "healthy");
  const growth = tallies.filter((fact, index) => fact.at >= first.at - 2_000 && failuresOf(fact) > failuresOf(tallies[index - 1]));
  const before = tallies.findLast((fact) => fact.at < first.at - 2_000);
  const failed = failuresOf(tallies.at(-1)) - failuresOf(before);
  const rows = [
    `- Guard first said \`${first.verdict.state}\` at ${utc(first.at)}: ${first.verdict.reason}`,
    healed === undefined ? "- The guard has not said healthy since." : `- Healthy again at ${utc(healed.at)}, ${((healed.at - first.at) / 1000).toFixed(1)} s later.`,
    growth.length === 0 ? "- No user operation failed in that time, as the counters tell." : `- Users' operations failed between ${utc(Math.min(first.at, growth[0]?.at ?? first.at))} and ${utc(growth.at(-1)?.at ?? first.at)}: ${failed}, as the counters tell.`,
  ];
  const withdrawn = run.withdrawnAt === undefined ? [] : [`- New instances were out of traffic from ${utc(run.withdrawnAt)}.`];
  return ["## Impact", [...rows, ...withdrawn].join("\n")].join("\n\n");
}

const failuresOf = (fact: FactOf<"tally"> | undefined): number => fact?.failures.reduce((sum, row) => sum + row.count, 0) ?? 0;

function affected({ facts }: ReportInput): string {
  const rows = facts.findLast((fact): fact is FactOf<"tally"> => fact.kind === "tally")?.failures ?? [];
  if (rows.length === 0) return "";
  const tables = (["operation", "region", "release", "cohort", "code"] as const).map((key) => table(key, rows));
  return ["## Failed operations during the run, as the instances counted them", "Ordinary failures of healthy traffic are among them.", ...tables].join("\n\n");
}

function table(key: keyof Omit<TallyRow, "count">, rows: readonly TallyRow[]): string {
  const sums = new Map<string, number>();
  for (const row of rows) sums.set(row[key], (sums.get(row[key]) ?? 0) + row.count);
  const lines = [...sums].toSorted((a, b) => b[1] - a[1]).map(([name, count]) => `| ${name || "-"} | ${count} |`);
  return [`| ${key} | failed |`, "|---|---:|", ...lines].join("\n");
}

function cure({ run }: ReportInput): string {
  if (run.touched.length === 0) return "## What was done\n\nNothing was touched.";
  const list = (title: string, ids: readonly string[]) => (ids.length === 0 ? [] : [`**${title}**`, ids.map((id) => `- ${run.graph.moves.find((move) => move.id === id)?.title ?? id} (\`${id}\`)`).join("\n")]);
  const standing = run.touched.filter((id) => !run.undone.includes(id) && !run.kept.includes(id) && !run.stranded.includes(id));
  return [
    "## What was done",
    ...list("Undone, equal to the record from before", run.undone),
    ...list("Kept on purpose: it serves the old release well", run.kept),
    ...list("Stranded: a person is needed", run.stranded),
    ...list("Standing", standing),
    ...(run.backup === undefined ? [] : [`Backup plan \`${run.backup}\` ran.`]),
  ].join("\n\n");
}

function notified({ facts }: ReportInput): string {
  const failed = facts.filter((fact): fact is FactOf<"undelivered"> => fact.kind === "undelivered");
  const delivered = facts.filter((fact) => fact.kind === "delivered").length;
  if (failed.length === 0 && delivered === 0) return "";
  return ["## Who was told", `${delivered} notifications delivered.`, ...failed.map((fact) => `- **Not delivered** by ${fact.notifier} at ${utc(fact.at)}: ${fact.why}`)].join("\n\n");
}

const QUIET = new Set<RunEvent["kind"]>(["pulse"]);

function timeline({ events }: ReportInput): string {
  const rows = events.filter((event) => !QUIET.has(event.kind)).map((event) => `| ${event.at} | ${event.kind} | ${event.message.replaceAll("|", "\\|").replaceAll("\n", " ")} |`);
  return ["## Timeline (UTC)", ["| when | what | |", "|---|---|---|", ...rows].join("\n")].join("\n\n");
}
