import { expect, test } from "vitest";
import { SLOT_BYTES, readSlots, slotBytes } from "../../../../src/adapters/file/anchor.ts";

const anchorAt = (seq: number) => ({ created: 1_700_000_000_000, head: { seq, hash: "0a".repeat(16) } });
const fileOf = (first: Buffer, second: Buffer): Buffer =>
  Buffer.concat([first, Buffer.alloc(SLOT_BYTES - first.length), second]);

test("the newer of two slots counts, and the other is written next", () => {
  expect(readSlots(fileOf(slotBytes(anchorAt(4)), slotBytes(anchorAt(5))))).toEqual({ anchor: anchorAt(5), next: 0 });
  expect(readSlots(fileOf(slotBytes(anchorAt(6)), slotBytes(anchorAt(5))))).toEqual({ anchor: anchorAt(6), next: 1 });
  expect(readSlots(slotBytes(anchorAt(0)))).toEqual({ anchor: anchorAt(0), next: 1 });
});

test("a slot that was torn anywhere leaves the older one, and is written next", () => {
  const [older, newer] = [slotBytes(anchorAt(8)), slotBytes(anchorAt(9))];
  const text = newer.toString().trimEnd().length;
  for (let length = 0; length < text; length += 1) {
    const torn = Buffer.concat([newer.subarray(0, length), slotBytes(anchorAt(7)).subarray(length)]);
    // Torn behind its last change it is whole again.
    const isWhole = torn.equals(newer);
    expect(readSlots(fileOf(older, torn))).toEqual(
      isWhole ? { anchor: anchorAt(9), next: 0 } : { anchor: anchorAt(8), next: 1 },
    );
  }
});

test("no flipped bit in a slot moves the anchor anywhere but to the older slot", () => {
  const [older, newer] = [slotBytes(anchorAt(8)), slotBytes(anchorAt(9))];
  for (let at = 0; at < newer.length; at += 1) {
    for (let bit = 0; bit < 8; bit += 1) {
      const flipped = Buffer.from(newer);
      flipped.writeUInt8((newer[at] ?? 0) ^ (1 << bit), at);
      expect([anchorAt(8), anchorAt(9)]).toContainEqual(readSlots(fileOf(older, flipped)).anchor);
    }
  }
});

test("an empty or foreign file holds no anchor", () => {
  expect(readSlots(Buffer.alloc(0)).anchor).toBeUndefined();
  expect(readSlots(Buffer.alloc(9_000)).anchor).toBeUndefined();
  expect(readSlots(Buffer.from("hello")).anchor).toBeUndefined();
});
