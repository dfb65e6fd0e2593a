import { UpgradeError } from "../../errors/upgrade-error.ts";
import { fenceText, type Fence } from "../../ports/fence.ts";
import type { Manager } from "./beside/managers.ts";
import type { Site } from "./site.ts";

/** An object that is not as it was ordered. */
export type Foreign = {
  /** `service gateway`. */
  readonly what: string;
  /** A line a field. */
  readonly changes: readonly string[];
  /** Who may have changed it. */
  readonly suspects: readonly Manager[];
};

export const foreignText = ({ api }: Pick<Site, "api">, { what, changes, suspects }: Foreign): string => {
  const by = suspects.length === 0 ? "" : ` (it is managed by ${suspects.map(({ name }) => name).join(" and ")})`;
  return `${what} in ${api.context} was changed by somebody else while midflight held it: ${changes.join("; ")}${by}`;
};

/** `remedy`: `put it back as it was ordered`. */
export const foreignChange = (site: Pick<Site, "api">, foreign: Foreign, remedy: string): UpgradeError =>
  new UpgradeError("FOREIGN_CHANGE", foreignText(site, foreign), {
    hint: `${foreign.suspects.map(({ pause }) => `${pause}; `).join("")}${remedy}, then \`midflight resume\``,
  });

/** Somebody newer wrote already. `of`: whose write it was, `gateway` or `the route of gateway`. */
export const fenced = ({ frame }: Pick<Site, "frame">, of: string, fence: Fence, known: Fence): UpgradeError =>
  new UpgradeError(
    "FENCED",
    `a write with fence ${fenceText(fence)} was refused for ${of} in ${frame.region}, where ${fenceText(known)} was seen`,
    { hint: "look at `midflight status` to see who acts now" },
  );
