import { EMPTY } from "../../src/adapters/file/line.ts";
import { journalOn } from "../../src/adapters/file/journal.ts";
import { leaseOn } from "../../src/adapters/file/lease-on.ts";
import { recover } from "../../src/adapters/file/recover.ts";
import { apiOf, type Api } from "../../src/adapters/kubernetes/api/api.ts";
import { connect } from "../../src/adapters/kubernetes/api/connection.ts";
import { kubernetesRunStore } from "../../src/adapters/kubernetes/state/run-store.ts";
import { leaseIn } from "../../src/adapters/kubernetes/state/turns.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { RunStore } from "../../src/ports/journal.ts";
import type { Lease } from "../../src/ports/lease.ts";
import type { LeaseTimes } from "../../src/ports/turns.ts";
import { kubeconfigFor } from "./kube-place.ts";

/** The namespace `state` of the API server at this address, as the adapter sees it. */
export const apiAt = (url: string, clock: Clock = systemClock): Api =>
  apiOf(connect(kubeconfigFor({ state: url }), "state", { now: () => clock.monotonic() }), clock);

/** A lease whose turns are kept in that namespace. */
export const kubeLease = (
  url: string,
  how: { readonly machine?: string; readonly times?: LeaseTimes; readonly isVital?: boolean } = {},
): Lease => {
  const place = { api: apiAt(url), clock: systemClock, ...(how.times === undefined ? {} : { times: how.times }) };
  return leaseOn({
    clock: systemClock,
    placesOf: (key) => [leaseIn(place, key, how.isVital ?? true)],
    ...(how.machine === undefined ? {} : { machine: how.machine }),
  });
};

/** Runs kept in that namespace, with `dir` for copies. */
export const kubeRunStore = (url: string, dir: string, clock: Clock = systemClock): RunStore =>
  kubernetesRunStore({
    api: apiAt(url, clock),
    clock,
    form: { empty: EMPTY, recover, journalOn },
    dir,
  });
