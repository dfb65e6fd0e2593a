import type { UnlistedCode } from "../guard/unlisted.ts";
import type { StreamReading, Verdict, VerdictState } from "../guard/verdict.ts";
import { utc } from "../events/utc.ts";

/** A verdict as a line: `2026-11-21T12:00:00.000Z failing    amend in tokyo: 14 of 39 failed`. */
export const verdictLine = ({ at, state, reason }: Verdict): string => `${utc(at)} ${state.padEnd(10)} ${reason}`;

/** A code that the class rules should name: `51999 stands in no rule of okx-v5, taken for business: 12 times in counters, 3 by probes`. */
export const unlistedLine = ({ rules, code, outcome, live, probes }: UnlistedCode): string =>
  `${code} stands in no rule of ${rules}, taken for ${outcome}: ${live} times in counters, ${probes} by probes`;

/** How long each verdict stood, and what was counted. */
export const watchedText = (watched: {
  readonly fromMs: number;
  readonly toMs: number;
  readonly spentMs: Readonly<Record<VerdictState, number>>;
  readonly streams: readonly StreamReading[];
  /** What was measured says about the stated baseline. */
  readonly baselineAdvice?: string;
  readonly unlisted: readonly UnlistedCode[];
}): string => {
  const spent = Object.entries(watched.spentMs)
    .filter(([, ms]) => ms > 0)
    .map(([state, ms]) => `${state} ${seconds(ms)}`);
  const streams = watched.streams
    .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    .map(
      ({ operation, region, release, source, issued, failed }) =>
        `  ${operation.padEnd(7)} ${region.padEnd(14)} ${release.padEnd(20)} ${source.padEnd(7)} ${String(failed).padStart(6)} of ${String(issued).padStart(8)} failed`,
    );
  const unlisted = watched.unlisted.map((row) => `  ${unlistedLine(row)}`);
  const advice = watched.baselineAdvice === undefined ? [] : [`baseline: ${watched.baselineAdvice}`];
  return [
    `watched for ${seconds(watched.toMs - watched.fromMs)}: ${spent.join(", ")}`,
    ...streams,
    ...unlisted,
    ...advice,
  ].join("\n");
};

const keyOf = ({ region, operation, release, source }: StreamReading): string =>
  [region, operation, release, source].join("\n");
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
