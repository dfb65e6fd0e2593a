import { hash } from "node:crypto";
import { utc } from "../../events/utc.ts";
import { graphFingerprint } from "../../graph/fingerprint.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Allowance } from "../allows-of.ts";
import type { Drill } from "../drill.ts";
import type { CertifiedEnvironment, CertifiedFact, CertifiedFile, RehearsalPredicate, Statement } from "./statement.ts";
import { statementOf } from "./statement.ts";

/** What a passed rehearsal hands in to be signed. Times are ms since the epoch. */
export type Passed = {
  readonly midflight: string;
  readonly planFingerprint: string;
  /** Everything that the plan's fingerprint covers. */
  readonly files: readonly CertifiedFile[];
  readonly demo: { readonly graph: Graph; readonly facts: readonly CertifiedFact[] };
  readonly production: { readonly graph: Graph; readonly facts: readonly CertifiedFact[] };
  /** Ids of production's facts that the plan depends on. */
  readonly dependsOn: readonly string[];
  readonly allows: readonly Allowance[];
  readonly drills: readonly Drill[];
  readonly streams: RehearsalPredicate["guard"]["streams"];
  readonly soak: { readonly askedMs: number; readonly healthyMs: number };
  readonly signer: RehearsalPredicate["signer"];
  readonly signedAt: number;
  readonly validFrom: number;
  readonly validForMs: number;
};

/** The statement that a rehearsal earns. It tells what was found; whether that is enough is judged where it is used. */
export function certify(passed: Passed): Statement {
  const { production } = passed;
  return statementOf({
    midflight: passed.midflight,
    plan: { name: production.graph.plan, fingerprint: passed.planFingerprint, files: passed.files },
    releases: releasesOf(production.graph),
    rehearsed: environmentOf(passed.demo),
    production: environmentOf(production),
    dependsOn: passed.dependsOn,
    allows: passed.allows,
    // What was measured of each statement stands in the report.
    drills: passed.drills.map(({ name, step, kind, outcome, ms, detail }) => ({
      name,
      step,
      kind,
      outcome,
      ms,
      detail,
    })),
    guard: {
      operations: production.graph.guard.operations,
      falseAlarmEveryMs: Math.round(production.graph.guard.falseAlarmEveryMs),
      streams: passed.streams,
    },
    soak: { askedMs: Math.round(passed.soak.askedMs), healthyMs: Math.round(passed.soak.healthyMs) },
    signer: passed.signer,
    signedAt: utc(passed.signedAt),
    validFrom: utc(passed.validFrom),
    validUntil: utc(passed.validFrom + passed.validForMs),
  });
}

/** The files of a plan as a certificate names them. What is kept of an environment is no part of the plan. */
export const certifiedFiles = (
  files: readonly { readonly name: string; readonly text: string }[],
): readonly CertifiedFile[] =>
  files
    .filter(({ name }) => name !== "environment.yaml" && !name.startsWith("environment/"))
    .map(({ name, text }) => ({ name, sha256: sha256(text) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));

/** What a compiled graph tells of its environment, without asking anything there. */
export const factsOf = (graph: Graph): readonly CertifiedFact[] => [
  { id: "graph", value: fingerprintOf(graph) },
  ...(graph.releases === undefined ? [] : [{ id: "releases", value: graph.releases }]),
  ...releasesOf(graph).map(({ name, digest }) => ({ id: `release/${name}`, value: digest })),
  ...Object.values(graph.components).flatMap((component) =>
    component.kind === "workload"
      ? (component.programs ?? []).map((program) => ({
          id: `program/${component.name}/${program.name}`,
          value: `sha256:${program.sha256}`,
        }))
      : [],
  ),
];

export const stepsOf = (graph: Graph): CertifiedEnvironment["steps"] =>
  graph.moves.map(({ id, title }) => ({ id, title }));

export const fingerprintOf = (graph: Graph): string => graphFingerprint(graph, sha256);

const environmentOf = ({ graph, facts }: Passed["demo"]): CertifiedEnvironment => ({
  name: graph.environment,
  class: graph.class,
  graphFingerprint: fingerprintOf(graph),
  steps: stepsOf(graph),
  facts,
});

/** Releases that the plan brings, each once. */
function releasesOf(graph: Graph): RehearsalPredicate["releases"] {
  const targets = Object.values(graph.components).flatMap((component) =>
    component.kind === "workload" ? [component.target] : [],
  );
  return [...new Map(targets.map(({ release, digest }) => [release, { name: release, digest }])).values()];
}

const sha256 = (text: string): string => hash("sha256", text, "hex");
