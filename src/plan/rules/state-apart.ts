import type { Environment, EnvironmentComponent } from "../model.ts";
import { problemAt, type Complaint } from "../source/source.ts";
import type { EnvironmentRule, TogetherRule } from "./rule.ts";

/** In a folder or in Kubernetes, and each written as what it is. */
export const stateIsKept: EnvironmentRule = (environment) => {
  if (environment.state.startsWith("kubernetes:"))
    return [
      {
        code: "STATE_UNSUPPORTED",
        message: `${environment.state} would be a folder`,
        path: ["state"],
        hint: "write state: { kubernetes: { context: …, namespace: … } }, or ./ before the name of a folder",
      },
    ];
  if (!isStore(environment) || storeBehind(environment) !== undefined) return [];
  return [
    { code: "STATE_UNSUPPORTED", message: `${KEPT}; a store is not supported yet`, path: ["state"], hint: PLACES },
  ];
};

const KEPT = "runs and leases are kept in a folder or in Kubernetes";
const PLACES = "name a folder, such as .midflight, or write { kubernetes: { context: …, namespace: … } }";

/** Never in a store that the plan itself upgrades: the upgrade that breaks it would take its own way back with it. */
export const stateApart: TogetherRule = ({ plan, environment }) => {
  if (environment === undefined) return [];
  const name = storeBehind(environment.value);
  if (name === undefined) return [];
  const isUpgraded = Object.hasOwn(plan.value.components, name);
  const complaint: Complaint = {
    code: isUpgraded ? "STATE_IN_UPGRADED_STORE" : "STATE_UNSUPPORTED",
    message: isUpgraded
      ? `state would be kept in ${name}, which this plan upgrades`
      : `${KEPT}; a store, here that of ${name}, is not supported yet`,
    path: ["state"],
    hint: PLACES,
  };
  return [problemAt(environment.source, complaint)];
};

const isStore = (environment: Environment): boolean =>
  environment.stateStore !== undefined || /^\w+:\/\//.test(environment.state);

/** The component whose store the state names. */
const storeBehind = (environment: Environment): string | undefined =>
  isStore(environment)
    ? Object.entries(environment.components).find(([, component]) => isSame(environment, component))?.[0]
    : undefined;

function isSame({ state, stateStore }: Environment, component: EnvironmentComponent): boolean {
  if (component.driver !== "postgres") return false;
  const { url } = component;
  if (typeof url === "string") return stateStore === undefined && database(url) === database(state);
  if (stateStore === undefined) return false;
  return "env" in url
    ? "env" in stateStore && url.env === stateStore.env
    : "file" in stateStore && url.file === stateStore.file;
}

/** Host, port and database, without who asks and how. */
const database = (url: string): string => {
  const [, host = "", rest = ""] = /^postgres(?:ql)?:\/\/(?:[^@/]*@)?([^/?]*)(\/[^?]*)?/i.exec(url) ?? [undefined, url];
  return `${host.includes(":") ? host : `${host}:5432`}${rest}`.toLowerCase();
};
