import { expect, test } from "vitest";
import type { Level } from "../../../../src/demo/venue/engine/protocol.ts";
import { bookChange } from "../../../../src/demo/venue/gateway/socket/market-feed.ts";

const book = (bids: readonly Level[], seqId: number) => ({ bids, asks: [], seqId, ts: 1 });

test.each([
  { name: "a new level", before: [], after: [["2", "1", 1]], bids: [["2", "1", "0", "1"]] },
  { name: "a changed size", before: [["2", "1", 1]], after: [["2", "3", 1]], bids: [["2", "3", "0", "1"]] },
  {
    name: "another order at the same level",
    before: [["2", "1", 1]],
    after: [["2", "1", 2]],
    bids: [["2", "1", "0", "2"]],
  },
  { name: "a level that is gone", before: [["2", "1", 1]], after: [], bids: [["2", "0", "0", "0"]] },
  { name: "nothing", before: [["2", "1", 1]], after: [["2", "1", 1]], bids: [] },
] as const)("$name is told as the difference", ({ before, after, bids }) => {
  expect(bookChange(book(before, 4), book(after, 9))).toMatchObject({
    bids,
    asks: [],
    prevSeqId: 4,
    seqId: 9,
    checksum: 0,
  });
});
