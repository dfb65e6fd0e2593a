import type { Shelf } from "../../ports/shelf.ts";
import { readRehearsal, type Rehearsal } from "../../rehearsal/rehearsal.ts";

/** Where a rehearsal is kept: its record, and its reports beside it. */
export const recordOf = (id: string): string => `rehearsals/${id}/rehearsal.json`;
export const reportOf = (id: string, name: "report.html" | "junit.xml"): string => `rehearsals/${id}/${name}`;

/** For whoever has to clear up after a rehearsal that was killed. */
export const beforeOf = (id: string): string => `rehearsals/${id}/before.json`;
export const runOf = (id: string): string => `rehearsals/${id}/run`;

/** The newest kept rehearsal that fits, with its id. */
export async function findRehearsal(
  shelf: Shelf,
  fits: (rehearsal: Rehearsal) => boolean,
): Promise<{ readonly id: string; readonly rehearsal: Rehearsal } | undefined> {
  const kept = await Promise.all(
    (await shelf.list("rehearsals")).map(async (id) => ({
      id,
      rehearsal: readRehearsal((await shelf.get(recordOf(id))) ?? ""),
    })),
  );
  return kept
    .flatMap(({ id, rehearsal }) => (rehearsal === undefined ? [] : [{ id, rehearsal }]))
    .toSorted((a, b) => b.rehearsal.startedAt - a.rehearsal.startedAt)
    .find(({ rehearsal }) => fits(rehearsal));
}
