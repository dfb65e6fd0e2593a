import type { Drill } from "../drill.ts";
import type { Finding } from "./finding.ts";

/** Each finding that blocks is a drill that failed; what is only warned of is told with those that passed. */
export function drillsOfLint(findings: readonly Finding[], migrations: number): readonly Drill[] {
  if (migrations === 0) return [];
  const blocks = findings.filter(({ severity }) => severity === "block");
  const warnings = findings.filter(({ severity }) => severity === "warn");
  return [
    ...blocks.map((finding): Drill => ({
      name: `lint: ${finding.rule}`,
      step: finding.file,
      kind: "lint",
      outcome: "failed",
      ms: 0,
      detail: `${textOf(finding)}; ${finding.instead}`,
    })),
    ...(blocks.length === 0
      ? [
          {
            name: `lint of ${migrations} migrations`,
            step: "plan",
            kind: "lint",
            outcome: "passed",
            ms: 0,
            detail: warnings.map((finding) => `warned: ${textOf(finding)}`).join("\n") || "nothing found",
          } satisfies Drill,
        ]
      : []),
  ];
}

const textOf = ({ file, line, column, rule, message }: Finding): string =>
  `${file}:${line}:${column} ${rule}: ${message}`;
