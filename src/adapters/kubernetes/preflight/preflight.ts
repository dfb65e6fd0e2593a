import type { Preflight } from "../../../ports/preflight.ts";
import { autoscalersIn } from "../amend.ts";
import { fieldsOf, heldIn, type Fields, type Held } from "../hold.ts";
import type { DisruptionBudget, Listed } from "../objects.ts";
import type { KubernetesOptions } from "../options.ts";
import { inOurWords, readDeployment, sitesOf, type Site } from "../site.ts";
import { autoscaled } from "./autoscaled.ts";
import { disruptionBudgets } from "./disruption-budgets.ts";
import { draining } from "./draining.ts";
import { heldAlready, managed } from "./managed.ts";
import { minReady } from "./min-ready.ts";
import { readiness } from "./readiness.ts";
import type { Check, Intent, Scene } from "./scene.ts";

const CHECKS: readonly Check[] = [heldAlready, managed, autoscaled, readiness, draining, minReady, disruptionBudgets];

/** What the Deployments of a component are, and who else has a say about them, judged by what the plan means to do. */
export function kubernetesPreflight(options: KubernetesOptions, plan: Omit<Intent, "isPausing">): Preflight {
  const sites = sitesOf(options);
  const intent: Intent = { ...plan, isPausing: options.config.pausesManagers === true };
  return {
    risks: (region, signal) =>
      inOurWords("WORKLOAD_UNREACHABLE", async () => risksIn(await sceneIn(sites(region), intent, signal))),
  };
}

export const risksIn = (scene: Scene): readonly string[] => CHECKS.flatMap((check) => check(scene));

async function sceneIn(site: Site, intent: Intent, signal: AbortSignal): Promise<Scene> {
  const [deployment, autoscalers, budgets] = await Promise.all([
    readDeployment(site, signal),
    autoscalersIn(site, signal),
    budgetsIn(site, signal),
  ]);
  const { metadata } = deployment;
  const fields = restingFields(fieldsOf(deployment), heldIn(deployment));
  return { metadata, fields, container: site.frame.container, autoscalers, budgets, intent };
}

/** While a run holds it, what it will have again: also fields that it did not state. */
const restingFields = (fields: Fields, held: Held | undefined): Fields =>
  held === undefined ? fields : { ...held.rest, template: fields.template };

/** None as well when this user may not read them: they only warn. */
async function budgetsIn({ api }: Site, signal: AbortSignal): Promise<readonly DisruptionBudget[]> {
  const listed = await api
    .send<Listed<DisruptionBudget>>({ verb: "list", resource: "poddisruptionbudgets" }, signal)
    .catch(() => undefined);
  return listed?.items ?? [];
}
