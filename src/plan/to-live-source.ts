import { defined } from "./defined.ts";
import { durationText } from "./duration.ts";
import type { CommandSource, LiveSource, PrometheusSource, SourceLabels } from "./model.ts";
import type { LiveSourceInput } from "./schema/live-source-schema.ts";
import { toSecret, toValue } from "./to-value.ts";
import { msOr } from "./value-of.ts";

/** `everything`: regions of the environment and what users do there, for a source that names none. */
export const toLiveSource = (
  input: LiveSourceInput,
  everything: Pick<LiveSource, "regions" | "operations">,
): LiveSource => {
  const covers = defined({
    regions: input.regions ?? everything.regions,
    operations: input.operations ?? everything.operations,
    rules: input.rules,
  });
  return "prometheus" in input ? toPrometheus(input, covers) : toCommand(input, covers);
};

type Covers = Pick<LiveSource, "regions" | "operations" | "rules">;

/** Two scrapes at the fifteen seconds that are usual. */
const STALE_MS = 30_000;

const toPrometheus = (
  { prometheus, countsProbes }: Extract<LiveSourceInput, { prometheus: unknown }>,
  covers: Covers,
): PrometheusSource => {
  const everyMs = msOr(prometheus.every, 1_000);
  const staleAfterMs = msOr(prometheus.staleAfter, Math.max(STALE_MS, 3 * everyMs));
  return defined({
    kind: "prometheus" as const,
    ...covers,
    countsProbes: countsProbes ?? true,
    url: toValue(prometheus.url),
    token: prometheus.token === undefined ? undefined : toSecret(prometheus.token),
    query:
      "metric" in prometheus
        ? `${prometheus.metric}{${(prometheus.match ?? []).join(",")}}[${durationText(staleAfterMs)}]`
        : prometheus.query.trim(),
    labels: toLabels(prometheus.labels),
    hasCodes: prometheus.codes ?? true,
    everyMs,
    staleAfterMs,
  });
};

const toLabels = (labels: Extract<LiveSourceInput, { prometheus: unknown }>["prometheus"]["labels"]): SourceLabels => ({
  operation: labels?.operation ?? "operation",
  code: labels?.code ?? "code",
  http: labels?.http ?? "http",
  cohort: labels?.cohort ?? "cohort",
  region: labels?.region ?? "region",
  release: labels?.release ?? "release",
  instance: labels?.instance ?? "instance",
});

const toCommand = (
  { command, silentAfter, countsProbes }: Extract<LiveSourceInput, { command: unknown }>,
  covers: Covers,
): CommandSource => ({
  kind: "command",
  ...covers,
  countsProbes: countsProbes ?? false,
  argv: command,
  silentAfterMs: msOr(silentAfter, 5_000),
});
