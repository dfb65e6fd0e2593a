import { liveCovers, type LiveCover } from "../live-covers.ts";
import type { EnvironmentRule } from "./rule.ts";

/** What is counted twice weighs twice: one failure of a user would look like two, and the promise of few false alarms would not hold. */
export const sourcesApart: EnvironmentRule = (environment) =>
  liveCovers(environment).flatMap((own, index, covers) => {
    // Several components may have counters: users pass one of them.
    if (own.path[0] !== "sources") return [];
    const [twice] = covers.slice(0, index).flatMap((other) => {
      const shared = sharedBy(other, own);
      return shared === undefined ? [] : [{ shared, other }];
    });
    if (twice === undefined) return [];
    return [
      {
        code: "SOURCES_OVERLAP",
        message: `${twice.shared} would be counted twice: by ${twice.other.what} and by ${own.what}`,
        path: own.path,
        at: "key" as const,
        hint: "leave what both count to one of them, with `operations` and `regions`",
      },
    ];
  });

/** "order, amend in tokyo", of the first region that both tell of. */
const sharedBy = (one: LiveCover, other: LiveCover): string | undefined => {
  const region = other.regions.find((name) => one.regions.includes(name));
  const operations = other.operations.filter((operation) => one.operations.includes(operation));
  return region === undefined || operations.length === 0 ? undefined : `${operations.join(", ")} in ${region}`;
};
