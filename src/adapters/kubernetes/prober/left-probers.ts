import type { ProberPlace } from "../../../plan/model.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { LeftProber, LeftProbers } from "../../../ports/left-probers.ts";
import { apiOf } from "../api/api.ts";
import { connect } from "../api/connection.ts";
import { inOurWords } from "../site.ts";
import { isAbandoned, probersIn, removeProber } from "./left.ts";

type Where = {
  readonly environment: string;
  readonly region: string;
  readonly place: Omit<ProberPlace, "kubeconfig">;
  readonly kubeconfig?: string;
  readonly clock: Clock;
};

/** Probes of one region that a dead run left in its namespace. Throws `KUBECONFIG_UNUSABLE`, `KUBERNETES_NOT_FOUND`. */
export function leftProbers({ environment, region, place, kubeconfig, clock }: Where): LeftProbers {
  const { context, namespace } = place;
  const api = apiOf(connect(kubeconfig, context, { namespace, now: () => clock.monotonic() }), clock);
  const here = { api, clock };
  return {
    look: (signal) =>
      inOurWords("PROBES_UNREACHABLE", async () => {
        const found = (await probersIn(here, environment, signal)).filter((one) => one.region === region);
        return Promise.all(
          found.map(async (one): Promise<LeftProber> => ({
            ...one,
            place: `deployment ${one.name} in ${namespace} of ${context}`,
            isAbandoned: await isAbandoned(here, one, signal),
          })),
        );
      }),
    remove: ({ name }, signal) => inOurWords("PROBES_UNREACHABLE", () => removeProber(here, name, signal)),
  };
}
