import { utc } from "../../events/utc.ts";
import type { Drill } from "../drill.ts";
import type { Rehearsal } from "../rehearsal.ts";

/** JUnit XML: every drill a test case, so that a pipeline shows them as it shows its tests. */
export function junit(rehearsal: Rehearsal): string {
  const { drills } = rehearsal;
  const count = (outcome: Drill["outcome"]) => drills.filter((drill) => drill.outcome === outcome).length;
  const head = `<testsuite name="${escaped(`rehearsal of ${rehearsal.plan}`)}" tests="${drills.length}" failures="${count("failed")}" skipped="${count("skipped")}" time="${seconds(rehearsal.endedAt - rehearsal.startedAt)}" timestamp="${utc(rehearsal.startedAt)}">`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    "<testsuites>",
    head,
    ...drills.map((drill) => testCase(drill)),
    "</testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

function testCase(drill: Drill): string {
  const open = `  <testcase classname="${escaped(`${drill.kind}.${drill.step}`)}" name="${escaped(drill.name)}" time="${seconds(drill.ms)}"`;
  switch (drill.outcome) {
    case "passed":
      return `${open}><system-out>${escaped(drill.detail)}</system-out></testcase>`;
    case "failed":
      return `${open}><failure message="${escaped(drill.detail.split("\n")[0] ?? "")}">${escaped(drill.detail)}</failure></testcase>`;
    case "skipped":
      return `${open}><skipped message="${escaped(drill.detail)}"/></testcase>`;
  }
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(3);

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\n": "&#10;",
};

// XML 1.0 knows no other control characters, not even escaped.
const escaped = (text: string): string =>
  text
    // oxlint-disable-next-line no-control-regex
    .replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, "\u{FFFD}")
    .replaceAll(/[&<>"'\n]/g, (sign) => ENTITIES[sign] ?? sign);
