import { hash } from "node:crypto";
import type { Graph } from "../../graph/graph.ts";
import type { EnvironmentFact } from "../../ports/facts.ts";
import type { FactsOfNow } from "../certificate/objections.ts";
import { factsOf } from "../certificate/certify.ts";
import { canonical, withoutManyRows } from "./without-rows.ts";

/** Of a larger table the certificate names the table that changed and not the row. */
const MOST_ROWS = 1_000;
/** A longer text is kept as its digest. */
const MOST_CHARACTERS = 200;

/** Facts of an environment in the form in which a certificate keeps them, and which of them the plan stands on. */
export function certifiedFacts(graph: Graph, facts: readonly EnvironmentFact[]): FactsOfNow {
  const kept = withoutManyRows(facts, MOST_ROWS);
  const ofFiles = factsOf(graph);
  return {
    facts: [
      ...ofFiles,
      ...kept.map(({ id, severity, value }) => ({ id, severity, value: shortened(canonical(value)) })),
    ],
    dependsOn: [...ofFiles.map(({ id }) => id), ...kept.filter((fact) => mattersTo(graph, fact)).map(({ id }) => id)],
  };
}

/**
 * Whether a rehearsal of this plan proves less when the fact is another one: it blocks, or it is how the plan's components are set up.
 * Not what comes and goes by itself: sizes, clocks, who is ready just now, when a server was started.
 */
export function mattersTo(graph: Graph, { id, component, group, severity }: EnvironmentFact): boolean {
  if (component !== undefined && !Object.hasOwn(graph.components, component)) return false;
  switch (group) {
    case "identity":
    case "sizes":
    case "clock":
      return false;
    case "instances":
      return !id.endsWith("/state");
    case "topology":
    case "configuration":
    case "limits":
    case "releases":
    case "migrations":
    case "reference":
      return true;
    case "server":
    case "settings":
    case "extensions":
    case "rights":
    case "schema":
      return severity === "block";
  }
}

const shortened = (text: string): string =>
  text.length <= MOST_CHARACTERS ? text : `sha256:${hash("sha256", text, "hex")}`;
