import { isReplacing } from "../../../plan/in-place.ts";
import type { EnvironmentFact, FactGroup, Facts, Severity } from "../../../ports/facts.ts";
import { autoscalersOf } from "../amend.ts";
import { fieldsOf, heldIn } from "../hold.ts";
import { setFieldsOf, setHeldIn } from "../in-place/set-held.ts";
import { lookAtSet } from "../in-place/set-site.ts";
import { managersOf } from "./managers.ts";
import type { Metadata, Template } from "../api/objects.ts";
import type { KubernetesOptions } from "../api/options.ts";
import { inOurWords, readDeployment, sitesOf, type Site } from "../site.ts";
import { containerIn } from "../template.ts";

/** How the objects of a component are set up: what a rehearsal in one cluster says about another one hangs on it. */
export function deploymentFacts(options: KubernetesOptions): Facts {
  const sites = sitesOf(options);
  return {
    collect: (signal) =>
      inOurWords("WORKLOAD_UNREACHABLE", async () => {
        const regions = Object.keys(options.config.contexts);
        return (await Promise.all(regions.map((region) => factsIn(sites(region), signal)))).flat();
      }),
  };
}

async function factsIn(site: Site, signal: AbortSignal): Promise<readonly EnvironmentFact[]> {
  const { component, region, container } = site.frame;
  const [{ metadata, replicas, template }, scalers] = await Promise.all([
    restingOf(site, signal),
    autoscalersOf(site, signal),
  ]);
  const { lifecycle, readinessProbe, image } = containerIn(template.spec, container) ?? {};
  const grace = template.spec.terminationGracePeriodSeconds ?? 30;
  const managers = [...managersOf(metadata), ...scalers].map(({ name }) => name);
  const fact = (name: string, group: FactGroup, value: string, severity: Severity): EnvironmentFact => ({
    id: `${component}/${region}/${name}`,
    component,
    group,
    value,
    severity,
    rule: "same",
  });
  return [
    fact("image", "releases", image ?? "none", "info"),
    fact("replicas", "instances", String(replicas), "info"),
    fact("managed-by", "configuration", managers.join(", ") || "nobody else", "warn"),
    fact(
      "drain",
      "limits",
      `${lifecycle?.preStop === undefined ? "no preStop hook" : "a preStop hook"}, ${grace} s`,
      "warn",
    ),
    fact("readiness", "configuration", JSON.stringify(readinessProbe ?? "no readiness probe"), "warn"),
  ];
}

type Resting = { readonly metadata: Metadata; readonly replicas: number; readonly template: Template };

/** While an upgrade holds it, what it will have again. */
async function restingOf(site: Site, signal: AbortSignal): Promise<Resting> {
  if (isReplacing(site.options.config.object.kind)) {
    const { set, places } = await lookAtSet(site, signal);
    const { template, replicas = places } = { ...setFieldsOf(set), ...setHeldIn(set)?.rest };
    return { metadata: set.metadata, replicas, template };
  }
  const deployment = await readDeployment(site, signal);
  const { replicas, template } = { ...fieldsOf(deployment), ...heldIn(deployment)?.rest };
  return { metadata: deployment.metadata, replicas, template };
}
