import { UpgradeError } from "../../../errors/upgrade-error.ts";
import { readKubeconfig } from "../api/connection.ts";

const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * A kubeconfig for a pod: the named contexts, each with its namespace, reached by the pod's own service account. Kubernetes itself writes the
 * address of its API server into it, where a container's variables are expanded. A context of another cluster is refused: a service account
 * does not reach it, and to call this cluster by its name would upgrade the wrong one. Throws `INCLUSTER_IMPOSSIBLE`.
 */
export function podKubeconfig(kubeconfig: string | undefined, home: string, contexts: readonly string[]): string {
  const config = readKubeconfig(kubeconfig);
  const find = (name: string) => {
    const context = config.getContextObject(name);
    const cluster = context === null ? null : config.getCluster(context.cluster);
    if (context === null || cluster === null)
      throw impossible(
        `the kubeconfig has no context ${name} with a cluster`,
        "correct its name in the environment file",
      );
    return { name, namespace: context.namespace ?? "default", server: cluster.server };
  };
  const { server } = find(home);
  const found = [...new Set([home, ...contexts])].map((name) => find(name));
  const away = found.filter((one) => one.server !== server);
  if (away.length > 0)
    throw impossible(
      `${away.map(({ name }) => name).join(", ")} is another cluster than that of ${home}, where the conductor would run`,
      "put a kubeconfig for all of them into a Secret, under the key config, and name it: inCluster.kubeconfig",
    );
  return JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        {
          name: "here",
          cluster: {
            server: "https://$(KUBERNETES_SERVICE_HOST):$(KUBERNETES_SERVICE_PORT)",
            "certificate-authority": `${ACCOUNT}/ca.crt`,
          },
        },
      ],
      // Read anew every minute: the token changes.
      users: [
        {
          name: "conductor",
          user: { "auth-provider": { name: "tokenFile", config: { tokenFile: `${ACCOUNT}/token` } } },
        },
      ],
      contexts: found.map(({ name, namespace }) => ({
        name,
        context: { cluster: "here", user: "conductor", namespace },
      })),
      "current-context": home,
    },
    // With line feeds, by which a kubeconfig is told from its path.
    undefined,
    1,
  );
}

const impossible = (why: string, hint: string): UpgradeError =>
  new UpgradeError("INCLUSTER_IMPOSSIBLE", `the conductor cannot run in the cluster: ${why}`, { hint });
