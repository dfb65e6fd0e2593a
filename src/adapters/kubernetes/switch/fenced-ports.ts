import type { Shape, Weighing, WorkloadState } from "../../../graph/observation.ts";
import type { Traffic } from "../../../ports/traffic.ts";
import type { Workload } from "../../../ports/workload.ts";
import { inOurWords, type Site, type Sites } from "../site.ts";
import { underFence, writeFence, type Errand } from "../under-fence.ts";

/** Instances whose orders write to more than the Deployment: its fence stands there before anything else is read or written. */
export const fencedWorkload = (
  sites: Sites,
  how: {
    readonly stateIn: (site: Site, signal: AbortSignal) => Promise<WorkloadState>;
    readonly converge: (shape: Shape, errand: Errand) => Promise<void>;
  },
): Workload => ({
  observe: (region, signal) =>
    inOurWords("WORKLOAD_UNREACHABLE", async () => {
      signal.throwIfAborted();
      return how.stateIn(sites(region), signal);
    }),
  shape: (region, shape, fence, signal) =>
    inOurWords("WORKLOAD_UNREACHABLE", async () => {
      signal.throwIfAborted();
      const site = sites(region);
      await underFence({ site, fence, signal }, async (errand) => {
        await writeFence(errand);
        await how.converge(shape, errand);
      });
      return how.stateIn(site, signal);
    }),
});

/** The same for their traffic. */
export const fencedTraffic = (
  sites: Sites,
  distribute: (weighing: Weighing, errand: Errand) => Promise<void>,
): Traffic => ({
  weigh: (region, weighing, fence, signal) =>
    inOurWords("BALANCER_UNREACHABLE", async () => {
      signal.throwIfAborted();
      await underFence({ site: sites(region), fence, signal }, async (errand) => {
        await writeFence(errand);
        await distribute(weighing, errand);
      });
    }),
});
