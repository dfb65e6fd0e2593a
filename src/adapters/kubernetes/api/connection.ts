import { messageOf } from "../../../errors/message-of.ts";
import { Agent as PlainAgent } from "node:http";
import { Agent, type RequestOptions } from "node:https";
import { KubeConfig } from "@kubernetes/client-node";
import { UpgradeError } from "../../../errors/upgrade-error.ts";

/** One cluster as one user, and the namespace to work in. */
export type Connection = {
  readonly context: string;
  readonly server: string;
  readonly namespace: string;
  /** What a request needs to be let in. Rejects when a program that fetches credentials fails. */
  admission(): Promise<Admission>;
};
export type Admission = { readonly agent: RequestOptions["agent"]; readonly headers: Readonly<Record<string, string>> };

/** Credentials are asked for again after this: tokens of service accounts and of cloud programs change while a run is under way. */
const REFRESH_MS = 30_000;

/** Reads the kubeconfig and finds a context in it. Throws `KUBECONFIG_UNUSABLE`, `KUBERNETES_NOT_FOUND`. */
export function connect(
  kubeconfig: string | undefined,
  context: string,
  how: { readonly namespace?: string; readonly now: () => number },
): Connection {
  const config = readKubeconfig(kubeconfig);
  const found = config.getContextObject(context);
  if (found === null)
    throw new UpgradeError(
      "KUBERNETES_NOT_FOUND",
      `the kubeconfig has no context ${context}; it has ${
        config
          .getContexts()
          .map(({ name }) => name)
          .join(", ") || "none"
      }`,
      { hint: "correct `contexts` in the environment file, or name another kubeconfig" },
    );
  config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw unusable(`the context ${context} names a cluster that is not there`);
  let known: { readonly admission: Promise<Admission>; readonly at: number } | undefined;
  return {
    context,
    server: cluster.server.replace(/\/+$/, ""),
    namespace: how.namespace ?? found.namespace ?? "default",
    admission() {
      if (known === undefined || how.now() - known.at > REFRESH_MS) {
        const admission = admissionOf(config, cluster.server, known?.admission);
        known = { admission, at: how.now() };
        // Whoever could not give credentials is asked again.
        admission.catch(() => (known = undefined));
      }
      return known.admission;
    },
  };
}

/** The kubeconfig itself, as a conductor in the cluster is given it. */
export const POD_KUBECONFIG = "MIDFLIGHT_KUBECONFIG";

export function readKubeconfig(kubeconfig: string | undefined): KubeConfig {
  const config = new KubeConfig();
  try {
    const given = kubeconfig ?? process.env[POD_KUBECONFIG];
    if (given === undefined) config.loadFromDefault();
    else if (given.includes("\n")) config.loadFromString(given);
    else config.loadFromFile(given);
  } catch (cause) {
    throw unusable(messageOf(cause), cause);
  }
  return config;
}

const unusable = (why: string, cause?: unknown): UpgradeError =>
  new UpgradeError("KUBECONFIG_UNUSABLE", `the kubeconfig cannot be used: ${why}`, {
    hint: "check it with `kubectl config view`, and name it under `kubeconfig` in the environment file",
    cause,
  });

/** Connections are kept open for as long as the credentials stay the same. */
async function admissionOf(
  config: KubeConfig,
  server: string,
  before: Promise<Admission> | undefined,
): Promise<Admission> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const headers = Object.fromEntries(
    Object.entries(options.headers ?? {}).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, String(value)]],
    ),
  );
  if (options.auth !== undefined && options.auth !== null)
    headers["authorization"] = `Basic ${Buffer.from(options.auth).toString("base64")}`;
  const last = await before?.catch(() => undefined);
  return { headers, agent: agentFor(config, server, options, last?.agent) };
}

function agentFor(
  config: KubeConfig,
  server: string,
  { agent, ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }: RequestOptions,
  last: RequestOptions["agent"],
): RequestOptions["agent"] {
  // Only the library knows how to go through a proxy.
  if (config.getCurrentCluster()?.proxyUrl !== undefined) return agent;
  if (server.startsWith("http:")) return last instanceof PlainAgent ? last : new PlainAgent({ keepAlive: true });
  const tls = Object.fromEntries(
    Object.entries({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }).filter(
      ([, value]) => value !== undefined && value !== null,
    ),
  );
  return last instanceof Agent && isSameTls(last.options, tls) ? last : new Agent({ ...tls, keepAlive: true });
}

const isSameTls = (options: object, tls: Readonly<Record<string, unknown>>): boolean => {
  const known = new Map<string, unknown>(Object.entries(options));
  return Object.entries(tls).every(([name, value]) => String(known.get(name)) === String(value));
};
