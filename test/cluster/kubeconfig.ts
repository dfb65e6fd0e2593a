import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { apiUrl, type ClusterFacts, type Identity } from "./facts.ts";
import type { Places } from "./places.ts";

export const caOf = (places: Places): string => join(places.dir, "certs", "apiserver.crt");

/** For one part of the cluster. JSON is YAML. */
export async function writePartConfig(places: Places, facts: ClusterFacts, identity: Identity): Promise<string> {
  const file = join(places.dir, `${identity}.kubeconfig`);
  await write(file, facts, places, identity, [{ name: facts.name, namespace: "default" }]);
  return file;
}

/** For people and tests: a context for the whole cluster, and one for each region's namespace. */
export const writeKubeconfig = (places: Places, facts: ClusterFacts): Promise<void> =>
  write(places.kubeconfig, facts, places, "admin", [
    { name: facts.name, namespace: "default" },
    ...facts.regions.map((region) => ({ name: region, namespace: region })),
  ]);

const write = (
  file: string,
  facts: ClusterFacts,
  places: Places,
  identity: Identity,
  contexts: readonly { readonly name: string; readonly namespace: string }[],
): Promise<void> =>
  writeFile(
    file,
    `${JSON.stringify(
      {
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: facts.name, cluster: { server: apiUrl(facts), "certificate-authority": caOf(places) } }],
        users: [{ name: identity, user: { token: facts.tokens[identity] } }],
        contexts: contexts.map(({ name, namespace }) => ({
          name,
          context: { cluster: facts.name, user: identity, namespace },
        })),
        "current-context": facts.name,
      },
      undefined,
      2,
    )}\n`,
    { mode: 0o600 },
  );
