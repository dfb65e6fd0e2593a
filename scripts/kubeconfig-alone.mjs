// What of a library a conductor needs, where its package does not say so itself: the rest would be read by every start, and kept in memory.

const KUBERNETES = /[\\/]node_modules[\\/]@kubernetes[\\/]client-node[\\/]/;

/**
 * Of the official Kubernetes client only the kubeconfig and its credentials are used. Importing its files does nothing, so that models and calls
 * of the whole API may be left out; and its own way to fetch, by undici, is never taken (`api.ts` asks by node:https).
 */
export const kubeconfigAlone = {
  name: "kubeconfig-alone",
  setup(build) {
    build.onResolve({ filter: /./ }, async ({ path, pluginData, ...from }) => {
      const isInside = KUBERNETES.test(from.importer);
      if (pluginData === kubeconfigAlone || (!isInside && path !== "@kubernetes/client-node")) return undefined;
      if (isInside && path === "undici") return { path, namespace: kubeconfigAlone.name };
      const { importer, namespace, resolveDir, kind, with: attributes } = from;
      const how = { importer, namespace, resolveDir, kind, with: attributes, pluginData: kubeconfigAlone };
      return { ...(await build.resolve(path, how)), sideEffects: false };
    });
    build.onLoad({ filter: /./, namespace: kubeconfigAlone.name }, () => ({ contents: UNDICI }));
  },
};

const UNDICI = `
const never = () => { throw new Error("midflight asks Kubernetes by node:https alone"); };
export class Agent { constructor() { never(); } }
export class ProxyAgent { constructor() { never(); } }
export const fetch = never;
`;
