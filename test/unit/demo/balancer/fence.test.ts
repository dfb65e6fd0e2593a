import { expect, test } from "vitest";
import { admitWrite, NO_FENCE, parseFence } from "../../../../src/demo/venue/balancer/fence.ts";

test.each([
  {
    header: undefined,
    highest: NO_FENCE,
    isAdmitted: true,
    after: NO_FENCE,
    why: "the venue starts up before any conductor",
  },
  {
    header: undefined,
    highest: { epoch: 1, seq: 1 },
    isAdmitted: false,
    after: { epoch: 1, seq: 1 },
    why: "an unfenced write after a fenced one",
  },
  { header: "1.1", highest: NO_FENCE, isAdmitted: true, after: { epoch: 1, seq: 1 }, why: "the first conductor" },
  {
    header: "1.1",
    highest: { epoch: 1, seq: 1 },
    isAdmitted: true,
    after: { epoch: 1, seq: 1 },
    why: "the same write again",
  },
  {
    header: "1.10",
    highest: { epoch: 1, seq: 9 },
    isAdmitted: true,
    after: { epoch: 1, seq: 10 },
    why: "numbers, not text",
  },
  {
    header: "1.8",
    highest: { epoch: 1, seq: 9 },
    isAdmitted: false,
    after: { epoch: 1, seq: 9 },
    why: "a late write of the same conductor",
  },
  {
    header: "2.1",
    highest: { epoch: 1, seq: 9 },
    isAdmitted: true,
    after: { epoch: 2, seq: 1 },
    why: "the next conductor",
  },
  {
    header: "1.999",
    highest: { epoch: 2, seq: 1 },
    isAdmitted: false,
    after: { epoch: 2, seq: 1 },
    why: "a conductor that lost its lease",
  },
  { header: "rubbish", highest: NO_FENCE, isAdmitted: false, after: NO_FENCE, why: "an unreadable fence" },
])("$why: admitted $isAdmitted", ({ header, highest, isAdmitted, after }) => {
  expect(admitWrite(header, highest)).toEqual({ isAdmitted, highest: after });
});

test.each(["", "1", "1.", ".1", "-1.1", "1.1.1", "1e3.1", "1.1234567890123456"])("%j is no fence", (text) => {
  expect(parseFence(text)).toBeUndefined();
});
