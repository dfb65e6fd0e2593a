import type { Instance } from "../../graph/observation.ts";
import type { EnvironmentFact, FactGroup, Facts, FactValue, Severity } from "../../ports/facts.ts";
import type { Workload } from "../../ports/workload.ts";

/** What really runs of a component, in each of its regions. */
export const workloadFacts = (component: string, regions: readonly string[], workload: Workload): Facts => ({
  async collect(signal) {
    const states = await Promise.all(regions.map((region) => workload.observe(region, signal)));
    return states.flatMap(({ region, instances }) => factsIn(component, region, instances));
  },
});

function factsIn(component: string, region: string, instances: readonly Instance[]): readonly EnvironmentFact[] {
  const fact = (name: string, group: FactGroup, value: FactValue, severity: Severity): EnvironmentFact => ({
    id: `${component}/${region}/${name}`,
    component,
    group,
    value,
    severity,
    rule: "same",
  });
  return [
    fact("releases", "releases", releasesOf(instances), "block"),
    // Demo may be smaller; the rehearsal's own comparison of both graphs says by how much.
    fact("instances", "instances", String(instances.length), "info"),
    fact("state", "instances", stateOf(instances), "warn"),
  ];
}

/** Release → its digests: one, unless an upgrade is under way or somebody exchanged what runs under a name. */
function releasesOf(instances: readonly Instance[]): Readonly<Record<string, string>> {
  const names = [...new Set(instances.map(({ release }) => release))].toSorted();
  return Object.fromEntries(
    names.map((name) => {
      const digests = instances.filter(({ release }) => release === name).map(({ digest }) => digest);
      return [name, [...new Set(digests)].toSorted().join(", ")];
    }),
  );
}

function stateOf(instances: readonly Instance[]): string {
  const unready = instances.filter(({ ready }) => !ready).length;
  const partly = instances.filter(({ weightPct }) => weightPct < 100).length;
  return [
    unready === 0 ? "all ready" : `${unready} of ${instances.length} not ready`,
    partly === 0 ? "all in full traffic" : `${partly} of ${instances.length} not in full traffic`,
  ].join(", ");
}
