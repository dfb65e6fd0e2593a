import { ApiFailure, upgradeErrorOf } from "../api/api-failure.ts";
import type { Service } from "../api/objects.ts";
import { managersOf } from "../beside/managers.ts";
import type { Site } from "../site.ts";
import { TEMPLATE_HASH } from "../template.ts";
import { pinnedIn } from "./pinned.ts";
import { readService } from "./selector.ts";
import { switchedBy } from "./service-of.ts";

/** What could go wrong with the Service whose selector is to be switched, a sentence each. */
export async function switchRisks(site: Site, signal: AbortSignal): Promise<readonly string[]> {
  if (switchedBy(site.options.config).switched === undefined) return [];
  try {
    return risksIn(await readService(site, signal));
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    const { message, hint } = upgradeErrorOf(error, "WORKLOAD_UNREACHABLE");
    return [`its Service was not looked at: ${message}; ${hint}`];
  }
}

export function risksIn(service: Service): readonly string[] {
  const { metadata, spec } = service;
  const selector = spec?.selector ?? {};
  const own = `its service ${metadata.name}`;
  const managed = managersOf(metadata).map(
    ({ name, pause }) => `${name} would put back the selector of ${own}: ${pause} until the run has ended`,
  );
  if (pinnedIn(service) !== undefined)
    return [
      ...managed,
      `${own} names one release already, for a run that is under way or one that died: an upgrade goes on from where it stands; to put it back instead, \`midflight release-hold\``,
    ];
  if (Object.keys(selector).length === 0)
    return [...managed, `${own} selects no pods, so that nothing of it can be switched`];
  return selector[TEMPLATE_HASH] === undefined
    ? managed
    : [
        ...managed,
        `${own} names a template itself (${TEMPLATE_HASH}: ${selector[TEMPLATE_HASH]}): take that out of its selector`,
      ];
}
