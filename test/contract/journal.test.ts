import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileRunStore } from "../../src/adapters/file/run-store.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { fakeRunStore } from "../fakes/journal.ts";
import { kubeApi } from "../fakes/kube-api.ts";
import { kubeRunStore } from "../fakes/kube-state.ts";
import { journalContract } from "./journal.ts";

/** Each run is later than the one before, however fast they are made. */
const ticking = (): (() => number) => {
  let now = 1_000;
  return () => (now += 1);
};

const folder = (): Promise<string> => mkdtemp(join(tmpdir(), "midflight-store-"));

journalContract("in memory", async () => ({ store: fakeRunStore(), close: async () => undefined }));

journalContract("in files", async () => {
  const dir = await folder();
  return {
    store: fileRunStore({ dir, clock: { now: ticking() } }),
    close: () => rm(dir, { recursive: true, force: true }),
  };
});

journalContract("in Kubernetes", async () => {
  const [api, dir] = [await kubeApi(), await folder()];
  return {
    store: kubeRunStore(api.url, dir, { ...systemClock, now: ticking() }),
    async close() {
      await api.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
});
