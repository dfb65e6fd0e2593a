import { join } from "node:path";
import { journalOn } from "../../adapters/file/journal.ts";
import { leaseOn } from "../../adapters/file/lease-on.ts";
import { fileLease } from "../../adapters/file/lease.ts";
import { EMPTY } from "../../adapters/file/line.ts";
import { recover } from "../../adapters/file/recover.ts";
import { fileShelf } from "../../adapters/file/shelf.ts";
import { fileRunStore } from "../../adapters/file/run-store.ts";
import { systemClock } from "../../adapters/system/clock.ts";
import type { JournalForm } from "../../ports/journal-form.ts";
import type { State } from "../run/state.ts";

/** Runs and leases in files. Apart from the rest of the wiring, so that `status` and `runs` load no driver. */
export function fileState(dir: string): State {
  const clock = systemClock;
  const leases = join(dir, "leases");
  return {
    dir,
    where: dir,
    clock,
    store: fileRunStore({ dir, clock }),
    lease: fileLease({ dir: leases, clock }),
    leaseBesides: (besides) => fileLease({ dir: leases, clock, besides }),
    shelf: fileShelf(dir),
  };
}

/** Runs and leases in a namespace of Kubernetes. `dir`: this machine's folder for what only it needs. */
export async function clusterState(
  cluster: { readonly context: string; readonly namespace: string },
  dir: string,
): Promise<State> {
  const { kubernetesState } = await import("../../adapters/kubernetes/state/state.ts");
  const clock = systemClock;
  const { store, leasePlace } = kubernetesState({ ...cluster, clock, form: FORM, dir });
  return {
    dir,
    where: `kubernetes:${cluster.context}/${cluster.namespace}`,
    clock,
    store,
    lease: leaseOn({ clock, placesOf: (key) => [leasePlace(key)] }),
    leaseBesides: (besides) => leaseOn({ clock, placesOf: (key) => [leasePlace(key), ...besides(key)] }),
    shelf: fileShelf(dir),
  };
}

/** Journals have one form, whatever they are kept on. */
const FORM: JournalForm = { empty: EMPTY, recover, journalOn };
