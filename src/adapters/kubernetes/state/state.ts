import type { Clock } from "../../../ports/clock.ts";
import type { RunStore } from "../../../ports/journal.ts";
import type { JournalForm } from "../../../ports/journal-form.ts";
import type { LeasePlace } from "../../../ports/turns.ts";
import { apiOf } from "../api/api.ts";
import { connect } from "../api/connection.ts";
import { kubernetesRunStore } from "./run-store.ts";
import { leaseIn } from "./turns.ts";

export type StateOptions = {
  readonly context: string;
  readonly namespace: string;
  /** A path, or the text. Undefined: where kubectl would find it. */
  readonly kubeconfig?: string;
  readonly clock: Clock;
  readonly form: JournalForm;
  /** A folder of this machine for copies of the files, and for what only this machine needs. */
  readonly dir: string;
};

/** Runs and leases in one namespace. Nothing is connected to before it is asked. Throws `KUBECONFIG_UNUSABLE`, `KUBERNETES_NOT_FOUND`. */
export function kubernetesState({ context, namespace, kubeconfig, clock, form, dir }: StateOptions): {
  readonly store: RunStore;
  readonly leasePlace: (key: string) => LeasePlace;
} {
  const api = apiOf(connect(kubeconfig, context, { namespace, now: () => clock.monotonic() }), clock);
  return {
    store: kubernetesRunStore({ api, clock, form, dir }),
    leasePlace: (key) => leaseIn({ api, clock }, key, true),
  };
}
