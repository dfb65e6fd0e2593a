import type { Change, Forecast } from "../events/forecast.ts";

/** What `midflight plan` prints: the legend first, then what changes, the steps with their undo, and the last line that counts. */
export function forecastText(forecast: Forecast): string {
  const sections = [
    `${forecast.plan} on ${forecast.environment} (${forecast.class})\n\n  ~ replaced, region by region   + added   - taken away   = there already`,
    forecast.refusals.length === 0
      ? ""
      : `Cannot start now:\n${forecast.refusals.map((text) => `  ! ${text}`).join("\n")}`,
    forecast.changes.map((change) => changeText(change)).join("\n"),
    `Steps, each behind evidence of health, with its undo:\n${forecast.steps.map((step) => `  ${step.title}\n      undo: ${step.undo}`).join("\n")}`,
    forecast.noReturn.length === 0
      ? ""
      : `No way back after:\n${forecast.noReturn.map((text) => `  ${text}`).join("\n")}`,
    forecast.risks.length === 0 ? "" : `Risks:\n${forecast.risks.map((text) => `  ${text}`).join("\n")}`,
    `Takes at least ${(forecast.atLeastMs / 1000).toFixed(0)} s of soaking and draining, and the guard's evidence before each step.`,
    countLine(forecast),
  ];
  return sections.filter((section) => section !== "").join("\n\n");
}

function changeText(change: Change): string {
  if (change.kind === "metadata") {
    const rows = change.pending.map((name) => `  + ${change.component}: ${name}`);
    return rows.length === 0 ? `  = ${change.component}: every migration of the plan is applied` : rows.join("\n");
  }
  const digest = (text: string) => text.slice(0, 19);
  if (change.isThere) return `  = ${change.component} in ${change.region}: ${change.instances} × ${change.to}`;
  return `  ~ ${change.component} in ${change.region}: ${change.instances} × ${change.from} (${digest(change.fromDigest)}…) → ${change.to} (${digest(change.toDigest)}…)`;
}

function countLine(forecast: Forecast): string {
  const replaced = forecast.changes.reduce(
    (sum, change) => sum + (change.kind === "workload" && !change.isThere ? change.instances : 0),
    0,
  );
  const migrations = forecast.changes.reduce(
    (sum, change) => sum + (change.kind === "metadata" ? change.pending.length : 0),
    0,
  );
  return replaced + migrations === 0
    ? "Nothing to do."
    : `Plan: ${migrations} migrations to apply, ${replaced} instances to replace.`;
}
