import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileLease } from "../../src/adapters/file/lease.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { kubeApi } from "../fakes/kube-api.ts";
import { kubeLease } from "../fakes/kube-state.ts";
import { fakeLease } from "../fakes/lease.ts";
import { conductors } from "../support/conductors.ts";
import { leaseContract } from "./lease.ts";

leaseContract("in memory", async () => {
  const lease = fakeLease();
  let pid = 100;
  return {
    lease,
    conductor: async (run) => ({ run, host: "here", pid: (pid += 1) }),
    die: async (run) => lease.die(run),
    close: async () => undefined,
  };
});

leaseContract("in files", async () => {
  const dir = await mkdtemp(join(tmpdir(), "midflight-lease-"));
  const { conductor, die, close } = conductors();
  return {
    lease: fileLease({ dir, clock: systemClock }),
    conductor,
    die,
    async close() {
      await close();
      await rm(dir, { recursive: true, force: true });
    },
  };
});

leaseContract("in Kubernetes", async () => {
  const api = await kubeApi();
  const { conductor, die, close } = conductors();
  return {
    lease: kubeLease(api.url),
    conductor,
    die,
    async close() {
      await close();
      await api.close();
    },
  };
});
