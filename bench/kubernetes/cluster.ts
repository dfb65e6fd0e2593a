import { apiAt, type Api } from "../../test/cluster/api.ts";
import { down, up } from "../../test/cluster/cluster.ts";
import { apiUrl, type ClusterFacts } from "../../test/cluster/facts.ts";
import { caOf } from "../../test/cluster/kubeconfig.ts";
import { placesOf, type Places } from "../../test/cluster/places.ts";

/** A real cluster of this machine, with the rights of an administrator. It goes with its disposal. */
export type Cluster = AsyncDisposable & {
  readonly places: Places;
  readonly facts: ClusterFacts;
  readonly api: Api;
};

export type ClusterOrder = {
  readonly name: string;
  readonly regions: readonly string[];
  /** Without: nothing but the control plane, and no pod really runs. */
  readonly hasNode: boolean;
  readonly say: (line: string) => void;
};

/** Rejects with what is missing where none can be made: Linux, root, Go, packages, or another cluster in the way. */
export async function startCluster({ name, regions, hasNode, say }: ClusterOrder): Promise<Cluster> {
  const places = placesOf(name);
  say(`a cluster of its own: ${hasNode ? "with a node" : "the control plane alone"}`);
  const facts = await up({ places, regions, hasNode, mayInstall: false, say }).catch(async (error: unknown) => {
    await down(places);
    throw error;
  });
  const api = await apiAt(apiUrl(facts), facts.tokens.admin, caOf(places));
  return {
    places,
    facts,
    api,
    async [Symbol.asyncDispose]() {
      api.close();
      await down(places);
    },
  };
}
