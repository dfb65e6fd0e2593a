import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { BalancerConfig } from "./start.ts";

/** Reads BALANCER_REGION, BALANCER_PORT, BALANCER_ADMIN_PORT and BALANCER_STATE. */
export const readBalancerConfig = (env: NodeJS.ProcessEnv): BalancerConfig => {
  const statePath = env["BALANCER_STATE"];
  if (statePath === undefined || statePath === "") {
    throw new UpgradeError("VENUE_CONFIG", "the environment variable BALANCER_STATE is not set", {
      hint: "set it to the file that keeps the balancer's backends",
    });
  }
  return {
    region: env["BALANCER_REGION"] ?? "local",
    port: Number(env["BALANCER_PORT"] ?? "0"),
    adminPort: Number(env["BALANCER_ADMIN_PORT"] ?? "0"),
    statePath,
  };
};
