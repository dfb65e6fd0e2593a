import type { RunEvent } from "../events/event.ts";
import type { RunSummary, Titled } from "../events/summary.ts";

export type ReportInput = {
  readonly summary: RunSummary;
  readonly events: readonly RunEvent[];
  /** How users' own client saw it, where somebody measured that (the demo does). Ready Markdown. */
  readonly asUsersSawIt?: string;
};

/** The incident report of one run, in Markdown: what happened, to whom, why, what was taken back and what stays. */
export function report({ summary, events, asUsersSawIt }: ReportInput): string {
  const sections = [
    head(summary),
    impact(summary),
    asUsersSawIt ?? "",
    affected(summary),
    unlisted(summary),
    cure(summary),
    notified(summary),
    timeline(events),
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

function head(summary: RunSummary): string {
  const ended =
    summary.state === "halted"
      ? `Halted: ${summary.text}. \`midflight resume ${summary.run}\` goes on.`
      : `${summary.text}.`;
  const rows = [
    `- Run: \`${summary.run}\` on ${summary.environment} (${summary.class})`,
    `- From ${summary.from} to ${summary.to} (UTC)`,
    `- Plan: \`${summary.planFingerprint}\`, midflight ${summary.midflight}`,
    ...(summary.clearance === undefined ? [] : [cleared(summary.clearance)]),
    `- Cause: ${summary.cause ?? "none, nothing was turned back"}`,
  ];
  return [`# ${summary.plan} on ${summary.environment}: ${summary.state}`, ended, rows.join("\n")].join("\n\n");
}

const cleared = (clearance: NonNullable<RunSummary["clearance"]>): string =>
  clearance.kind === "override"
    ? `- **Without a certificate**, by ${clearance.by}, because: ${clearance.because}`
    : `- Certificate: \`${clearance.sha256}\`, signed by ${clearance.signer} with key ${clearance.key} (\`${clearance.keyId}\`), valid until ${clearance.validUntil}`;

function impact({ impact: seen, withdrawnAt }: RunSummary): string {
  if (seen === undefined) return "## Impact\n\nNone that the guard saw: it never said anything but healthy.";
  const failed =
    seen.failedFrom === undefined || seen.failed === 0
      ? "- No user operation failed in that time, as the counters tell."
      : `- Users' operations that failed, as the counters tell: ${seen.failed}, between ${seen.failedFrom} and ${seen.failedTo ?? "?"}.`;
  return [
    "## Impact",
    [
      `- Guard first said \`${seen.firstSaid}\` at ${seen.firstSaidAt}: ${seen.reason}`,
      ...(withdrawnAt === undefined ? [] : [`- New instances were ordered out of traffic at ${withdrawnAt}.`]),
      seen.healthyAgainAt === undefined
        ? "- The guard has not said healthy since."
        : `- Healthy again at ${seen.healthyAgainAt}, ${seen.seconds?.toFixed(1) ?? "?"} s later.`,
      failed,
    ].join("\n"),
  ].join("\n\n");
}

type Row = RunSummary["failures"][number];

function affected({ failures }: RunSummary): string {
  if (failures.length === 0) return "";
  const tables = (["operation", "region", "release", "cohort", "code"] as const).map((key) => table(key, failures));
  return [
    "## Failed operations during the run, as the instances counted them",
    "Ordinary failures of healthy traffic are among them.",
    ...tables,
  ].join("\n\n");
}

function table(key: Exclude<keyof Row, "count">, rows: readonly Row[]): string {
  const sums = new Map<string, number>();
  for (const row of rows) sums.set(row[key], (sums.get(row[key]) ?? 0) + row.count);
  const lines = [...sums].toSorted((a, b) => b[1] - a[1]).map(([name, count]) => `| ${name || "-"} | ${count} |`);
  return [`| ${key} | failed |`, "|---|---:|", ...lines].join("\n");
}

function unlisted({ unlisted: rows }: RunSummary): string {
  if (rows.length === 0) return "";
  const lines = rows.map(
    ({ rules, code, outcome, live, probes }) => `| ${cell(code)} | ${rules} | ${outcome} | ${live} | ${probes} |`,
  );
  return [
    "## Codes that no class rule names",
    "Whoever keeps the rules should say what they mean. Probes pass the counters too.",
    ["| code | rules | taken for | in counters | by probes |", "|---|---|---|---:|---:|", ...lines].join("\n"),
  ].join("\n\n");
}

function cure(summary: RunSummary): string {
  const lists = [
    ...list("Undone, equal to the record from before", summary.undone),
    ...list("Kept on purpose: it serves the old release well", summary.kept),
    ...list("Stranded: a person is needed", summary.stranded),
    ...list("Standing", summary.standing),
  ];
  const away =
    summary.away.length === 0
      ? []
      : ["**Left as it stands**", summary.away.map(({ place, why }) => `- ${place}: ${why}`).join("\n")];
  const backup = summary.backup === undefined ? [] : [`Backup plan \`${summary.backup}\` ran.`];
  return ["## What was done", ...(lists.length === 0 ? ["Nothing was touched."] : lists), ...away, ...backup].join(
    "\n\n",
  );
}

const list = (title: string, items: readonly Titled[]): readonly string[] =>
  items.length === 0 ? [] : [`**${title}**`, items.map((item) => `- ${item.title} (\`${item.id}\`)`).join("\n")];

function notified({ delivered, undelivered }: RunSummary): string {
  if (delivered === 0 && undelivered.length === 0) return "";
  return [
    "## Who was told",
    `${delivered} notifications delivered.`,
    ...undelivered.map((one) => `- **Not delivered** by ${one.notifier} at ${one.at}: ${one.why}`),
  ].join("\n\n");
}

function timeline(events: readonly RunEvent[]): string {
  const rows = events
    .filter((event) => event.kind !== "pulse")
    .map((event) => `| ${event.at} | ${event.kind} | ${cell(event.message)} |`);
  return ["## Timeline (UTC)", ["| when | what | |", "|---|---|---|", ...rows].join("\n")].join("\n\n");
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
