import { canonicalJson } from "../../../graph/fingerprint.ts";
import { ApiFailure, upgradeErrorOf } from "../api/api-failure.ts";
import type { Service } from "../api/objects.ts";
import { managersOf } from "../beside/managers.ts";
import type { Site } from "../site.ts";
import { readService } from "../switch/selector.ts";
import { routedBy } from "../switch/service-of.ts";
import { risksIn } from "../switch/switch-risks.ts";
import { besideOf, entriesOf } from "./entries.ts";
import { otherSelector } from "./entry.ts";
import { unfitIn, untakenIn, type Entries, type HttpRoute } from "./http-route.ts";
import { weighedIn } from "./weighed.ts";
import { readRoute } from "./write-route.ts";

/** What could go wrong with the route whose weights are to give shares, a sentence each. */
export async function routeRisks(site: Site, signal: AbortSignal): Promise<readonly string[]> {
  if (routedBy(site.options.config).routed === undefined) return [];
  try {
    const [route, own, beside] = await Promise.all([
      readRoute(site, signal),
      readService(site, signal),
      readService(besideOf(site), signal),
    ]);
    return routeRisksIn(route, { own, beside }, entriesOf(site));
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    const { message, hint } = upgradeErrorOf(error, "WORKLOAD_UNREACHABLE");
    return [`its route was not looked at: ${message}; ${hint}`];
  }
}

export function routeRisksIn(
  route: HttpRoute,
  { own, beside }: Readonly<Record<keyof Entries, Service>>,
  entries: Entries,
): readonly string[] {
  const { metadata } = route;
  const managed = managersOf(metadata).map(
    ({ name, pause }) =>
      `${name} would put back the weights of its httproute ${metadata.name}: ${pause} until the run has ended`,
  );
  if (weighedIn(route) !== undefined)
    return [
      ...managed,
      `its httproute ${metadata.name} carries weights of a run that is under way or one that died: an upgrade goes on from where it stands; to put them back instead, \`midflight release-hold\``,
    ];
  const untaken = untakenIn(route);
  const isSame = canonicalJson(own.spec?.selector ?? {}) === canonicalJson(beside.spec?.selector ?? {});
  return [
    ...managed,
    ...risksIn(beside),
    ...(isSame ? [] : [otherSelector(entries)]),
    ...unfitIn(route, entries),
    ...(untaken === undefined ? [] : [untaken.text]),
  ];
}
