import type { KubernetesOptions } from "../api/options.ts";

/** The Service whose selector is written to; nothing where none is. */
export const switchedBy = ({
  service,
  traffic,
}: Pick<KubernetesOptions["config"], "service" | "traffic">): { readonly switched?: string } =>
  traffic?.kind === "selector" ? { switched: service } : {};
