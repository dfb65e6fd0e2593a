import type { Clock } from "../../../../ports/clock.ts";
import type { Preflight } from "../../../../ports/preflight.ts";
import { apiOf } from "../../api/api.ts";
import { connect } from "../../api/connection.ts";
import { WORKING } from "../rights.ts";
import { missingRights } from "./missing-rights.ts";

/** The rights to make the Jobs of a plan's steps. Of the Jobs themselves nothing is known before they are made. */
export const jobsPreflight = (
  place: { readonly context: string; readonly namespace: string; readonly kubeconfig?: string },
  clock: Clock,
): Preflight => ({
  missingRights: async (_region, signal) => {
    const how = { namespace: place.namespace, now: () => clock.monotonic() };
    const api = apiOf(connect(place.kubeconfig, place.context, how), clock);
    const wanted = WORKING.map((right) => ({ right, name: undefined }));
    return missingRights({ api }, wanted, signal);
  },
  risks: () => Promise.resolve([]),
});
