import { isReplacing } from "../../../../plan/in-place.ts";
import type { Preflight } from "../../../../ports/preflight.ts";
import { ApiFailure, upgradeErrorOf, type Resource } from "../../api/api-failure.ts";
import { copiesOf } from "../../config.ts";
import { fieldsOf, heldIn } from "../../hold.ts";
import { setFieldsOf, setHeldIn } from "../../in-place/set-held.ts";
import { lookAtSet } from "../../in-place/set-site.ts";
import type { Autoscaler, DisruptionBudget, Listed } from "../../api/objects.ts";
import type { KubernetesOptions } from "../../api/options.ts";
import { routeRisks } from "../../route/route-risks.ts";
import { inOurWords, readDeployment, sitesOf, type Site } from "../../site.ts";
import { switchedBy } from "../../switch/service-of.ts";
import { switchRisks } from "../../switch/switch-risks.ts";
import { wantedFor } from "../rbac.ts";
import { missingRights } from "./missing-rights.ts";
import { autoscaled } from "./autoscaled.ts";
import { disruptionBudgets } from "./disruption-budgets.ts";
import { draining } from "./draining.ts";
import { heldAlready, managed } from "./managed.ts";
import { minReady } from "./min-ready.ts";
import { readiness } from "./readiness.ts";
import type { Check, Intent, Scene } from "./scene.ts";

const CHECKS: readonly Check[] = [heldAlready, managed, autoscaled, readiness, draining, minReady, disruptionBudgets];

/** What the objects of a component are, and who else has a say about them, judged by what the plan means to do. */
export function kubernetesPreflight(options: KubernetesOptions, plan: Omit<Intent, "isPausing">): Preflight {
  const sites = sitesOf(options);
  const intent: Intent = { ...plan, isPausing: options.config.pausesManagers === true };
  return {
    missingRights: (region, signal) => {
      const { config, releases, target } = options;
      const release = target === undefined ? undefined : releases[target];
      const wanted = {
        object: config.object,
        isRolled: true,
        isPlanned: true,
        config: copiesOf(release),
        ...switchedBy(config),
      };
      return missingRights(sites(region), wantedFor(wanted), signal);
    },
    risks: (region, signal) => inOurWords("WORKLOAD_UNREACHABLE", () => risksOf(sites(region), intent, signal)),
  };
}

export const risksIn = (scene: Scene): readonly string[] => CHECKS.flatMap((check) => check(scene));

const AUTOSCALERS = "horizontalpodautoscalers";
const BUDGETS = "poddisruptionbudgets";

async function risksOf(site: Site, intent: Intent, signal: AbortSignal): Promise<readonly string[]> {
  const { api } = site;
  const [resting, autoscalers, budgets] = await Promise.all([
    restingOf(site, signal),
    orRisk(AUTOSCALERS, api.send<Listed<Autoscaler>>({ verb: "list", resource: AUTOSCALERS }, signal)),
    orRisk(BUDGETS, api.send<Listed<DisruptionBudget>>({ verb: "list", resource: BUDGETS }, signal)),
  ]);
  const { object, container } = site.options.config;
  const seen = { autoscalers: autoscalers.items, budgets: budgets.items };
  return [
    ...risksIn({ ...resting, ...seen, object, container, intent }),
    ...(await switchRisks(site, signal)),
    ...(await routeRisks(site, signal)),
    ...autoscalers.risks,
    ...budgets.risks,
  ];
}

type Resting = Pick<Scene, "metadata" | "fields">;

/** While a run holds it, what it will have again: also fields that it did not state. */
async function restingOf(site: Site, signal: AbortSignal): Promise<Resting> {
  if (isReplacing(site.options.config.object.kind)) {
    const { set, places } = await lookAtSet(site, signal);
    const { replicas = places } = setHeldIn(set)?.rest ?? setFieldsOf(set);
    // How long a set lets a pod be ready before the next one is its own affair also while it is held.
    return { metadata: set.metadata, fields: { replicas, template: set.spec.template } };
  }
  const deployment = await readDeployment(site, signal);
  const fields = fieldsOf(deployment);
  const held = heldIn(deployment);
  return {
    metadata: deployment.metadata,
    fields: held === undefined ? fields : { ...held.rest, template: fields.template },
  };
}

/** What cannot be listed does not keep anybody from an upgrade: it is a risk itself. */
async function orRisk<T>(
  resource: Resource,
  asking: Promise<Listed<T>>,
): Promise<{ readonly items: readonly T[]; readonly risks: readonly string[] }> {
  try {
    const { items = [] } = await asking;
    return { items, risks: [] };
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    const { message, hint } = upgradeErrorOf(error, "WORKLOAD_UNREACHABLE");
    return { items: [], risks: [`its ${resource} were not looked at: ${message}; ${hint}`] };
  }
}
