import { messageOf } from "../../errors/message-of.ts";
import type { KubernetesOptions } from "./api/options.ts";
import { driverOn } from "./driver.ts";
import { endPods } from "./end-pods.ts";
import { sitesOf } from "./site.ts";

/** Pods that are dead until they may come back. */
export type Killing = {
  /** How many there were. */
  readonly count: number;
  /** Nobody is killed any more: the controllers bring them back. Rejects when some could not be killed meanwhile. */
  stop(): Promise<void>;
};

const AGAIN_MS = 200;

/**
 * Kills the pods of a component in a region, of one digest if it is given: they are deleted without grace, as those of a node that is gone. Kubernetes
 * brings back at once what dies, so that whoever comes is killed as well, before it can get ready, until that is stopped: a drill is about
 * instances that are away, not about how quick a controller is. What their controllers have been told stays as it is.
 * Rejects what the API server says when the first are killed.
 */
export async function killPods(options: KubernetesOptions, region: string, digest?: string): Promise<Killing> {
  const sites = sitesOf(options);
  const { workload } = driverOn(sites, options);
  const end = new AbortController();
  const kill = async (): Promise<number> => {
    const { instances } = await workload.observe(region, end.signal);
    const living = instances.filter((one) => digest === undefined || one.digest === digest);
    // The next pod of a StatefulSet has the name of the one that died: who was killed already is not told by it.
    await endPods(
      sites(region),
      living.map(({ id }) => id),
      end.signal,
      0,
    );
    return living.length;
  };
  const count = await kill();
  let trouble: unknown;
  const again = async (): Promise<void> => {
    while (!end.signal.aborted) {
      try {
        await options.clock.sleep(AGAIN_MS, end.signal);
        await kill();
        trouble = undefined;
      } catch (error) {
        // It is tried again; what lasts until the end is told.
        if (!end.signal.aborted) trouble = error;
      }
    }
  };
  const killing = again();
  return {
    count,
    async stop() {
      end.abort(new Error("they may come back"));
      await killing;
      if (trouble !== undefined) throw new Error(`pods in ${region} could not be killed: ${messageOf(trouble)}`);
    },
  };
}
