import { afterAll, afterEach, beforeAll } from "vitest";
import { findGround, placeOn, type Ground, type Place } from "./place.ts";

export type WithGround = {
  /** Of a test. */
  ground(): Ground;
  /** It goes with the test. */
  place(how: Parameters<typeof placeOn>[1]): Promise<Place>;
  /** Done when the test is over, the last one first. */
  undo(act: () => Promise<unknown>): void;
};

/** The cluster for the tests of a file. */
export function withGround(): WithGround {
  let found: Ground | undefined;
  const undone: (() => Promise<unknown>)[] = [];
  const ground = (): Ground => {
    if (found === undefined) throw new Error("the cluster is there while a test runs");
    return found;
  };
  beforeAll(async () => {
    found = await findGround();
  }, 180_000);
  afterEach(async () => {
    for (const undo of undone.splice(0).toReversed()) await undo();
  });
  afterAll(() => found?.api.close());
  return {
    ground,
    undo: (act) => void undone.push(act),
    async place(how) {
      const made = await placeOn(ground(), how);
      undone.push(made.close);
      return made;
    },
  };
}
