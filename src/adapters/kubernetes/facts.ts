import type { EnvironmentFact, FactGroup, Facts, Severity } from "../../ports/facts.ts";
import { autoscalersOf } from "./amend.ts";
import { fieldsOf, heldIn, type Fields } from "./hold.ts";
import { managersOf } from "./managers.ts";
import type { KubernetesOptions } from "./options.ts";
import { inOurWords, readDeployment, sitesOf, type Site } from "./site.ts";
import { containerIn } from "./template.ts";

/** How the Deployments of a component are set up: what a rehearsal in one cluster says about another one hangs on it. */
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
  const [deployment, scalers] = await Promise.all([readDeployment(site, signal), autoscalersOf(site, signal)]);
  const { replicas, template } = restingFields(fieldsOf(deployment), heldIn(deployment)?.rest);
  const { lifecycle, readinessProbe, image } = containerIn(template.spec, container) ?? {};
  const grace = template.spec.terminationGracePeriodSeconds ?? 30;
  const managers = [...managersOf(deployment.metadata), ...scalers].map(({ name }) => name);
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

/** While an upgrade holds the Deployment, what it will have again. */
const restingFields = (fields: Fields, rest: Partial<Fields> | undefined): Fields => ({ ...fields, ...rest });
