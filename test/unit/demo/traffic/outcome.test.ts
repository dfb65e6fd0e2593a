import { expect, test } from "vitest";
import { judge } from "../../../../src/demo/traffic/outcome.ts";
import type { Reply } from "../../../../src/demo/traffic/outcome.ts";

const origin = { release: "1.0", instance: "i" };
const answer = (code: string | undefined, http = 200): Reply => ({
  kind: "answer",
  code,
  http,
  isNoise: false,
  origin,
});

test.each<{ name: string; reply: Reply; is: object }>([
  { name: "0 is a success", reply: answer("0"), is: { class: "ok", code: "0", mayHaveLanded: false } },
  {
    name: "50001 is a failure that did nothing",
    reply: answer("50001", 503),
    is: { class: "failed", code: "50001", mayHaveLanded: false },
  },
  {
    name: "50026 is a failure whose order must be asked for",
    reply: answer("50026", 500),
    is: { class: "failed", code: "50026", mayHaveLanded: true },
  },
  {
    name: "51149 leaves it open",
    reply: answer("51149", 500),
    is: { class: "ambiguous", code: "51149", mayHaveLanded: true },
  },
  {
    name: "50004 leaves it open",
    reply: answer("50004", 400),
    is: { class: "ambiguous", code: "50004", mayHaveLanded: true },
  },
  {
    name: "51503 is a refusal on the merits",
    reply: answer("51503"),
    is: { class: "rejected", code: "51503", mayHaveLanded: false },
  },
  {
    name: "50011 is a failure",
    reply: answer("50011", 429),
    is: { class: "failed", code: "50011", mayHaveLanded: false },
  },
  {
    name: "50113 is a failure",
    reply: answer("50113", 401),
    is: { class: "failed", code: "50113", mayHaveLanded: false },
  },
  { name: "54071 is a failure", reply: answer("54071"), is: { class: "failed", code: "54071", mayHaveLanded: false } },
  {
    name: "an order code that no table knows is a refusal",
    reply: answer("51999"),
    is: { class: "rejected", code: "51999", mayHaveLanded: false },
  },
  {
    name: "a service code that no table knows is a failure",
    reply: answer("50999"),
    is: { class: "failed", code: "50999", mayHaveLanded: true },
  },
  {
    name: "a proxy's 502 leaves it open",
    reply: answer(undefined, 502),
    is: { class: "ambiguous", code: "http-502", mayHaveLanded: true },
  },
  {
    name: "a proxy's 503 did nothing",
    reply: answer(undefined, 503),
    is: { class: "failed", code: "http-503", mayHaveLanded: false },
  },
  {
    name: "a refused connection did nothing",
    reply: { kind: "refused" },
    is: { class: "failed", code: "refused", mayHaveLanded: false },
  },
  {
    name: "a lost connection leaves it open",
    reply: { kind: "cut", byUser: false },
    is: { class: "ambiguous", code: "cut", mayHaveLanded: true },
  },
  {
    name: "a missed deadline leaves it open",
    reply: { kind: "timeout" },
    is: { class: "ambiguous", code: "timeout", mayHaveLanded: true },
  },
  {
    name: "a connection that the user cut is his own doing",
    reply: { kind: "cut", byUser: true },
    is: { class: "planted", code: "cut", mayHaveLanded: true },
  },
  {
    name: "seeded noise of a healthy gateway is counted apart",
    reply: { kind: "answer", code: "50001", http: 503, isNoise: true, origin },
    is: { class: "planted", code: "50001", mayHaveLanded: false },
  },
])("$name", ({ reply, is }) => {
  expect(judge(reply, undefined)).toEqual(is);
});

test("what a user spoils himself is never the venue's failure", () => {
  expect(judge({ kind: "timeout" }, "impatient")).toEqual({ class: "planted", code: "impatient", mayHaveLanded: true });
});
