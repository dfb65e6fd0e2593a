import { expect, test } from "vitest";
import type { RunSummary } from "../../../src/events/summary.ts";
import { report } from "../../../src/view/report.ts";
import { watchedText } from "../../../src/view/watched.ts";

const UNLISTED = [{ rules: "okx-v5", code: "51999", outcome: "business", live: 12, probes: 3 }] as const;

const summary = (more: Partial<RunSummary>): RunSummary => ({
  run: "r-1",
  plan: "p",
  environment: "production",
  class: "production",
  state: "promoted",
  text: "done",
  from: "2026-11-21T12:00:00.000Z",
  to: "2026-11-21T12:01:00.000Z",
  planFingerprint: "f",
  midflight: "0.1.0",
  epoch: 1,
  moves: { done: 1, all: 1, now: "" },
  failures: [],
  unlisted: [],
  undone: [],
  kept: [],
  stranded: [],
  standing: [],
  away: [],
  delivered: 0,
  undelivered: [],
  ...more,
});

test("a report lists the codes that no class rule names, and says nothing where there are none", () => {
  expect(report({ summary: summary({ unlisted: UNLISTED }), events: [] })).toContain(
    "| code | rules | taken for | in counters | by probes |\n|---|---|---|---:|---:|\n| 51999 | okx-v5 | business | 12 | 3 |",
  );
  expect(report({ summary: summary({}), events: [] })).not.toContain("class rule");
});

test("so does the guard that watched alone", () => {
  const spentMs = { healthy: 1_000, suspect: 0, failing: 0, disturbed: 0, unknown: 0 };
  expect(watchedText({ fromMs: 0, toMs: 1_000, spentMs, streams: [], unlisted: UNLISTED })).toBe(
    "watched for 1.0 s: healthy 1.0 s\n  51999 stands in no rule of okx-v5, taken for business: 12 times in counters, 3 by probes",
  );
});
