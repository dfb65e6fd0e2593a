import { Bug } from "../../../errors/bug.ts";
import type { Site } from "../site.ts";
import { routedBy } from "../switch/service-of.ts";
import type { Entries } from "./http-route.ts";

/** The route of a component whose users are moved by its weights, and the two Services in it. */
export function entriesOf({ options: { config } }: Site): Entries & { readonly route: string } {
  const { routed } = routedBy(config);
  if (routed === undefined) throw new Bug(`${config.service} has no route`);
  return { route: routed.route, own: config.service, beside: routed.beside };
}

/** The same place, seen by the Service beside the component's own. */
export const besideOf = (site: Site): Site => ({
  ...site,
  options: { ...site.options, config: { ...site.options.config, service: entriesOf(site).beside } },
});
