import type { ProberPlace } from "../../../plan/model.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { Preflight } from "../../../ports/preflight.ts";
import { apiOf } from "../api/api.ts";
import { connect } from "../api/connection.ts";
import { missingRights } from "../beside/preflight/missing-rights.ts";
import { PROBES_WANTED } from "../beside/rbac.ts";
import { inOurWords } from "../site.ts";

type Looked = {
  readonly place: Omit<ProberPlace, "kubeconfig">;
  readonly kubeconfig?: string;
  readonly clock: Clock;
};

/** Whether a region's probes may be run where the environment says. Throws `KUBECONFIG_UNUSABLE`, `KUBERNETES_NOT_FOUND`. */
export function probesPreflight({ place: { context, namespace }, kubeconfig, clock }: Looked): Preflight {
  const api = apiOf(connect(kubeconfig, context, { namespace, now: () => clock.monotonic() }), clock);
  return {
    risks: () => Promise.resolve([]),
    missingRights: (_region, signal) =>
      inOurWords("PROBES_UNREACHABLE", () => missingRights({ api }, PROBES_WANTED, signal)),
  };
}
