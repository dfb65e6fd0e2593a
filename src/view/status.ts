import type { RunSummary } from "../events/summary.ts";

/** What `midflight status` says of a run; `held` are the leases, if a conductor is at work. */
export function plainStatus(
  summary: RunSummary,
  held: readonly { readonly key: string; readonly run: string; readonly host: string; readonly pid: number }[],
): string {
  const rows: readonly (readonly [string, string])[] = [
    ["run", summary.run],
    ["plan", `${summary.plan} on ${summary.environment} (${summary.class})`],
    ["state", `${summary.state}: ${summary.text}`],
    ...(summary.clearance === undefined ? [] : [["cleared", summary.clearance.text] as const]),
    ["moves", `${summary.moves.done} of ${summary.moves.all} done`],
    ["since", summary.from],
    ["last fact", summary.to],
    ...(summary.cause === undefined ? [] : [["cause", summary.cause] as const]),
    ...summary.away.map(({ place, why }) => ["away", `${place}, left as it stands: ${why}`] as const),
    ...held.map((one) => ["held", `${one.key} by ${one.run} (process ${one.pid} on ${one.host})`] as const),
    ...(held.length === 0 ? [["held", "by nobody: no conductor is at work"] as const] : []),
  ];
  return rows.map(([key, value]) => `${key.padEnd(10)} ${value}`).join("\n");
}

/** One line a run, newest first. */
export const runLine = (summary: RunSummary): string =>
  [
    summary.run.padEnd(34),
    summary.state.padEnd(10),
    `${summary.plan} on ${summary.environment}`.padEnd(34),
    summary.from,
    ...(summary.clearance?.kind === "override" ? ["without a certificate"] : []),
  ].join("  ");
