import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { EMPTY } from "../../../src/adapters/file/line.ts";
import { journalOn } from "../../../src/adapters/file/journal.ts";
import { leaseOn } from "../../../src/adapters/file/lease-on.ts";
import { recover } from "../../../src/adapters/file/recover.ts";
import { kubernetesState } from "../../../src/adapters/kubernetes/state/state.ts";
import { systemClock } from "../../../src/adapters/system/clock.ts";
import { journalContract } from "../../contract/journal.ts";
import { leaseContract } from "../../contract/lease.ts";
import { conductors } from "../../support/conductors.ts";
import { apiAt, type Api } from "../api.ts";
import { up } from "../cluster.ts";
import { apiUrl, type ClusterFacts } from "../facts.ts";
import { caOf } from "../kubeconfig.ts";
import { placesOf } from "../places.ts";

// Leases and journals against a real API server: its versions, its conflicts, its validation.
const places = placesOf(process.env["MIDFLIGHT_CLUSTER"] ?? "test");
let facts: ClusterFacts;
let api: Api;
beforeAll(async () => {
  facts = await up({ places, regions: ["tokyo", "frankfurt"], hasNode: true, mayInstall: false, say: () => {} });
  api = await apiAt(apiUrl(facts), facts.tokens.admin, caOf(places));
}, 180_000);
afterAll(() => api?.close());

/** A namespace of its own. */
async function stateIn(clock = systemClock) {
  const namespace = `state-${Math.random().toString(36).slice(2, 8)}`;
  const dir = await mkdtemp(join(tmpdir(), "midflight-copies-"));
  await api.call("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  const state = kubernetesState({
    context: facts.name,
    namespace,
    kubeconfig: places.kubeconfig,
    clock,
    form: { empty: EMPTY, recover, journalOn },
    dir,
  });
  const close = async (): Promise<void> => {
    await api.call("DELETE", `/api/v1/namespaces/${namespace}`);
    await rm(dir, { recursive: true, force: true });
  };
  return { ...state, close };
}

journalContract("in a real cluster", async () => {
  let now = 1_000;
  const { store, close } = await stateIn({ ...systemClock, now: () => (now += 1) });
  return { store, close };
});

leaseContract("in a real cluster", async () => {
  const { leasePlace, close } = await stateIn();
  const { conductor, die, close: end } = conductors();
  return {
    lease: leaseOn({ clock: systemClock, placesOf: (key) => [leasePlace(key)] }),
    conductor,
    die,
    async close() {
      await end();
      await close();
    },
  };
});
