import { join } from "node:path";
import { fileLease } from "../../adapters/file/lease.ts";
import { fileShelf } from "../../adapters/file/shelf.ts";
import { fileRunStore } from "../../adapters/file/run-store.ts";
import { systemClock } from "../../adapters/system/clock.ts";
import type { State } from "../run/state.ts";

/** Runs and leases in files. Apart from the rest of the wiring, so that `status` and `runs` load no driver. */
export function fileState(dir: string): State {
  const clock = systemClock;
  return {
    dir,
    clock,
    store: fileRunStore({ dir, clock }),
    lease: fileLease({ dir: join(dir, "leases"), clock }),
    shelf: fileShelf(dir),
  };
}
