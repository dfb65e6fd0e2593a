import type { KubernetesOptions } from "../api/options.ts";

type Config = Pick<KubernetesOptions["config"], "service" | "traffic">;

/** The Service whose selector is written to, and the route whose weights are; nothing where none is. */
export const switchedBy = (config: Config): { readonly switched?: string; readonly routed?: Routed } =>
  config.traffic === undefined ? {} : { switched: config.service, ...routedBy(config) };

/** `beside`: the Service that takes its share beside the component's own. */
export type Routed = { readonly route: string; readonly beside: string };

export function routedBy({ traffic }: Pick<Config, "traffic">): { readonly routed?: Routed } {
  switch (traffic?.kind) {
    case "httpRoute":
      return { routed: { route: traffic.route, beside: traffic.beside } };
    case "selector":
    case undefined:
      return {};
  }
}
