import type { Graph } from "../../graph/graph.ts";
import { fingerprintOf, stepsOf } from "./certify.ts";
import type { CertifiedFact, CertifiedFile, RehearsalPredicate } from "./statement.ts";

/** Why a certificate does not clear an upgrade. `text` has no subject: "the certificate …" or what changed. */
export type Objection = {
  readonly code: "CERTIFICATE_MISMATCH" | "CERTIFICATE_INCOMPLETE" | "CERTIFICATE_EXPIRED" | "CERTIFICATE_TOO_EARLY";
  readonly text: string;
};

/** What is about to be done, as the files say it now. */
export type Intended = {
  readonly planFingerprint: string;
  readonly files: readonly CertifiedFile[];
  readonly graph: Graph;
  /** The environment in which the environment file wants it rehearsed. */
  readonly rehearsedIn?: string;
  /** What the plan asks for. */
  readonly soakMs: number;
};

/** Production as it is now. `dependsOn`: ids of the facts that the plan stands on. */
export type FactsOfNow = { readonly facts: readonly CertifiedFact[]; readonly dependsOn: readonly string[] };

/** More differences than these are counted, not listed. */
const MOST_NAMED = 5;

/** Everything that speaks against using this certificate for this upgrade at this instant (UTC text). Facts of the world are another question. */
export const objectionsTo = (about: RehearsalPredicate, intended: Intended, now: string): readonly Objection[] => [
  ...otherPlan(about, intended),
  ...otherPlace(about, intended),
  ...unproved(about, intended),
  ...untimely(about, now),
];

/** Facts of production that the plan depends on and that are not as they were, or were not there. `now` holds what is known today. */
export function changedFacts(about: RehearsalPredicate, now: FactsOfNow): readonly Objection[] {
  const before = new Map(about.production.facts.map(({ id, value }) => [id, value]));
  const today = new Map(now.facts.map(({ id, value }) => [id, value]));
  const changed = about.dependsOn.flatMap((id) => {
    const [was, is] = [before.get(id), today.get(id)];
    if (was === undefined) return [`${id}, which the plan depends on, was not recorded by the rehearsal`];
    if (is === undefined) return [`${id} was ${short(was)} in ${about.production.name} and is not there now`];
    return was === is ? [] : [`${id} was ${short(was)} in ${about.production.name} and is ${short(is)} now`];
  });
  const added = now.dependsOn
    .filter((id) => !before.has(id))
    .map((id) => `${id} is ${short(today.get(id) ?? "there")} in ${about.production.name} now and was not there`);
  return named([...changed, ...added], "facts").map((text) => ({ code: "CERTIFICATE_MISMATCH", text }));
}

function otherPlan(about: RehearsalPredicate, { planFingerprint, files, graph }: Intended): readonly Objection[] {
  if (about.plan.fingerprint === planFingerprint) return [];
  const plan = about.plan.name === graph.plan ? [] : [`it is for plan ${about.plan.name}, not for ${graph.plan}`];
  const certified = new Map(about.plan.files.map(({ name, sha256 }) => [name, sha256]));
  const names = [...new Set([...certified.keys(), ...files.map(({ name }) => name)])].toSorted();
  const differing = names.flatMap((name) => {
    const is = files.find((one) => one.name === name)?.sha256;
    const was = certified.get(name);
    if (was === is) return [];
    if (was === undefined) return [`${name} was added since the rehearsal`];
    return [is === undefined ? `${name} is gone since the rehearsal` : `${name} changed since the rehearsal`];
  });
  const releases = [...releaseDifferences(about, graph)];
  const reasons = [...plan, ...named(differing, "files"), ...releases];
  return (reasons.length === 0 ? ["the plan's fingerprint is another one"] : reasons).map((text) => mismatch(text));
}

function releaseDifferences(about: RehearsalPredicate, graph: Graph): readonly string[] {
  const certified = new Map(about.releases.map(({ name, digest }) => [name, digest]));
  return Object.values(graph.components).flatMap((component) => {
    if (component.kind !== "workload") return [];
    const { release, digest } = component.target;
    const was = certified.get(release);
    if (was === digest) return [];
    return was === undefined
      ? [`release ${release} was not rehearsed`]
      : [`release ${release} was rehearsed as ${short(was)} and is ${short(digest)} now`];
  });
}

function otherPlace(about: RehearsalPredicate, { graph, rehearsedIn }: Intended): readonly Objection[] {
  const { production, rehearsed } = about;
  if (production.name !== graph.environment)
    return [mismatch(`it is for environment ${production.name}, not for ${graph.environment}`)];
  const elsewhere =
    rehearsedIn === undefined || rehearsedIn === rehearsed.name
      ? []
      : [mismatch(`it was rehearsed in ${rehearsed.name}, and the environment file says ${rehearsedIn}`)];
  const notDemo =
    rehearsed.class === "demo"
      ? []
      : [mismatch(`${rehearsed.name}, where it was rehearsed, is of class ${rehearsed.class}`)];
  if (production.graphFingerprint === fingerprintOf(graph)) return [...elsewhere, ...notDemo];
  const steps = stepDifferences(production.steps, stepsOf(graph));
  const releases = ownReleaseDifferences(about, graph);
  const texts =
    releases.length > 0
      ? releases
      : steps.length === 0
        ? ["counts, regions, drivers or limits in the environment file are not those of the rehearsal"]
        : named(steps, "steps");
  return [
    ...elsewhere,
    ...notDemo,
    ...texts.map((text) => mismatch(`${graph.environment} compiles to another graph: ${text}`)),
  ];
}

/** Of what the environment's own file says of them. */
function ownReleaseDifferences(about: RehearsalPredicate, graph: Graph): readonly string[] {
  const was = about.production.facts.find(({ id }) => id === "releases")?.value;
  if (was === graph.releases) return [];
  const differing = releaseDifferences(about, graph);
  return differing.length > 0 ? differing : ["`releases` in the environment file is not what was rehearsed"];
}

type Step = { readonly id: string; readonly title: string };

function stepDifferences(was: readonly Step[], is: readonly Step[]): readonly string[] {
  const [before, after] = [was, is].map((steps) => new Map(steps.map(({ id, title }) => [id, title])));
  return [...new Set([...was, ...is].map(({ id }) => id))].flatMap((id) => {
    const [a, b] = [before?.get(id), after?.get(id)];
    if (a === b) return [];
    if (a === undefined) return [`"${b ?? id}" is new`];
    return [b === undefined ? `"${a}" is gone` : `"${a}" is "${b}" now`];
  });
}

function unproved(about: RehearsalPredicate, { soakMs }: Intended): readonly Objection[] {
  const failed = about.drills.filter(({ outcome }) => outcome === "failed");
  const hasWalked = about.drills.some(({ kind, outcome }) => kind === "walk" && outcome === "passed");
  const asked = Math.max(soakMs, about.soak.askedMs);
  return [
    ...named(
      failed.map(({ name }) => `drill "${name}" failed`),
      "drills",
    ),
    ...(hasWalked ? [] : ["it tells of no walk through the whole plan that passed"]),
    ...(about.soak.healthyMs >= asked
      ? []
      : [`the rehearsal was healthy for ${seconds(about.soak.healthyMs)} of ${seconds(asked)} that it should soak`]),
  ].map((text) => ({ code: "CERTIFICATE_INCOMPLETE", text }));
}

function untimely({ validFrom, validUntil }: RehearsalPredicate, now: string): readonly Objection[] {
  if (now < validFrom)
    return [{ code: "CERTIFICATE_TOO_EARLY", text: `it is valid from ${validFrom}, and it is ${now}` }];
  if (now >= validUntil)
    return [{ code: "CERTIFICATE_EXPIRED", text: `it was valid until ${validUntil}, and it is ${now}` }];
  return [];
}

const named = (reasons: readonly string[], what: string): readonly string[] =>
  reasons.length <= MOST_NAMED
    ? reasons
    : [...reasons.slice(0, MOST_NAMED), `${reasons.length - MOST_NAMED} more ${what} differ`];

const mismatch = (text: string): Objection => ({ code: "CERTIFICATE_MISMATCH", text });
const short = (value: string): string =>
  /^sha256:[0-9a-f]{64}$/.test(value) ? `${value.slice(0, 19)}…` : value.slice(0, 200);
const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
