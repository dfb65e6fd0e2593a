import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { seenIn } from "../../../../src/adapters/guard-thread/http-answer.ts";
import { httpChain, type HttpChainContext } from "../../../../src/adapters/guard-thread/http-chain.ts";
import type { HttpCall, HttpReply } from "../../../../src/adapters/guard-thread/http-client.ts";
import { prepare } from "../../../../src/adapters/guard-thread/http-request.ts";
import { startLeftovers } from "../../../../src/adapters/guard-thread/leftovers.ts";
import { OKX_V5 } from "../../../../src/guard/rules-okx.ts";
import type { HttpProbe } from "../../../../src/plan/model.ts";

const PROBE: HttpProbe = {
  kind: "http",
  url: "https://pay.example/api/",
  values: {},
  headers: { Authorization: "Bearer {token}", accept: "application/json" },
  operations: [
    {
      name: "pay",
      method: "POST",
      path: "/payments?ref={id}",
      headers: { ACCEPT: "text/plain" },
      body: {
        kind: "json",
        value: { id: "{id}", nested: [{ at: "{nowMs}", note: "for {cohort}" }], amount: 1, none: null },
      },
      keep: { paymentId: "data.id" },
    },
    { name: "look", method: "GET", path: "/payments/{paymentId}", headers: { "x-last": "{paymentId}" }, keep: {} },
    {
      name: "refund",
      method: "POST",
      path: "/refunds",
      headers: {},
      body: { kind: "text", text: "{{payment={paymentId}&by={pay.id}}}" },
      keep: {},
    },
  ],
  cleanUp: "refund",
};
const REFUSED: HttpReply = { transport: "refused" };
const [PAY, LOOK, REFUND] = prepare(PROBE);

describe("a request of a template", () => {
  test("has its values in path, headers and body, each as the place asks for", () => {
    const scope = { id: "i/1", token: "t", cohort: "c", now: "n", nowMs: 7 };
    const made = PAY?.request(scope);
    expect(made).toMatchObject({
      method: "POST",
      path: "/payments?ref=i%2F1",
      headers: { authorization: "Bearer t", accept: "text/plain", "content-type": "application/json" },
    });
    expect(JSON.parse(made?.body ?? "")).toEqual({
      id: "i/1",
      nested: [{ at: 7, note: "for c" }],
      amount: 1,
      none: null,
    });
  });

  test("writes a brace as such where it stands twice", () =>
    expect(REFUND?.request({ paymentId: "p", "pay.id": "i", token: "t" }).body).toBe("{payment=p&by=i}"));

  test("lets no answer smuggle a header in or leave its path", () => {
    const made = LOOK?.request({ paymentId: "a/../b\r\nx-evil: 1", token: "t" });
    expect(made?.headers["x-last"]).toBe("a/../bx-evil: 1");
    expect(made?.path).toBe("/payments/a%2F..%2Fb%0D%0Ax-evil%3A%201");
  });
});

describe("an answer", () => {
  const rules = { ...OKX_V5, code: [["data", 0, "sCode"], ["code"]] };
  test.each([
    {
      name: "the row's code before the envelope's",
      text: '{"code":"1","data":[{"sCode":"51008"}]}',
      seen: { code: "51008", isPage: false },
    },
    { name: "the envelope's where there is no row", text: '{"code":"50001","data":[]}', seen: { code: "50001" } },
    {
      name: "the envelope's where the row's is empty",
      text: '{"code":"1","data":[{"sCode":""}]}',
      seen: { code: "1" },
    },
    { name: "a number as its text", text: '{"code":0}', seen: { code: "0" } },
    { name: "no code in an object", text: '{"code":{"a":1}}', seen: { isPage: false } },
    { name: "a page of HTML", text: "<html></html>", seen: { isPage: true } },
    { name: "nothing at all", text: "", seen: { isPage: false } },
  ])("gives $name", ({ text, seen }) => {
    const found = seenIn({ http: 200, headers: {}, text }, rules);
    expect(found).toMatchObject(seen);
    expect("code" in found).toBe("code" in seen);
  });
});

describe("a chain", () => {
  const start = (replies: readonly HttpReply[], more: Partial<HttpChainContext> = {}) => {
    const calls: HttpCall[] = [];
    const told: string[] = [];
    let ids = 0;
    const chain = httpChain(
      { cohort: "c", values: { token: "s3cret-token" } },
      {
        probe: PROBE,
        operations: prepare(PROBE),
        rules: OKX_V5,
        client: {
          call: (call) => Promise.resolve(replies[calls.push(call) - 1] ?? REFUSED),
          renew: () => undefined,
          close: () => Promise.resolve(),
        },
        publicOrigin: "https://pay.example",
        deadlineMs: 100,
        newId: () => `i${(ids += 1)}`,
        limits: { has: () => true, take: () => true },
        opened: (id, _, values) => void told.push(`open ${id} ${Object.keys(values).join(",")}`),
        closed: (id) => void told.push(`closed ${id}`),
        abandon: (id) => void told.push(`abandon ${id}`),
        ...more,
      },
    );
    return { chain, calls, told };
  };
  const json = (body: object, http = 200): HttpReply => ({ http, headers: {}, text: JSON.stringify(body) });
  const OK = json({ code: "0", data: { id: "p1" } });
  const ORIGIN = "http://10.0.0.1:80";

  test("goes through its operations with what they kept, and begins again", async () => {
    const { chain, calls, told } = start([OK, OK, OK, OK]);
    for (const name of ["pay", "look", "refund", "pay"])
      expect(await chain.step(ORIGIN)).toMatchObject({ operation: name, kind: "ok" });
    expect(calls.map(({ path }) => path)).toEqual([
      "/api/payments?ref=i1",
      "/api/payments/p1",
      "/api/refunds",
      "/api/payments?ref=i4",
    ]);
    expect(calls.every(({ origin }) => origin === ORIGIN)).toBe(true);
    expect(told).toEqual([
      "open i1 pay.id",
      "open i1 pay.id,paymentId",
      "open i1 pay.id,paymentId,look.id",
      "closed i1",
      "open i4 pay.id",
      "open i4 pay.id,paymentId",
    ]);
  });

  test.each<{ name: string; reply: HttpReply; told: string }>([
    { name: "refused on its merits", reply: json({ code: "51008" }), told: "closed i1" },
    { name: "limited", reply: json({}, 429), told: "closed i1" },
    { name: "never sent", reply: { transport: "refused" }, told: "closed i1" },
    { name: "cut", reply: { transport: "cut" }, told: "abandon i1" },
    { name: "never answered", reply: { transport: "timeout" }, told: "abandon i1" },
    { name: "failed", reply: json({ code: "50026" }, 500), told: "abandon i1" },
    { name: "ok without what was to be kept", reply: json({ code: "0" }), told: "abandon i1" },
  ])("whose first operation was $name knows whether something may be open", async ({ reply, told: last }) => {
    const { chain, told } = start([reply]);
    await chain.step(ORIGIN);
    expect(told.at(-1)).toBe(last);
    expect([chain.isOpen(), chain.next()]).toEqual([false, "pay"]);
  });

  test("goes on after a failure in its middle, and abandons what its last operation did not take back", async () => {
    const { chain, told } = start([OK, json({}, 500), { transport: "timeout" }]);
    await chain.step(ORIGIN);
    expect(await chain.step(ORIGIN)).toMatchObject({ operation: "look", kind: "failed" });
    expect(await chain.step(ORIGIN)).toMatchObject({ operation: "refund", kind: "failed", code: "timeout" });
    expect(told.at(-1)).toBe("abandon i1");
  });

  test("stops short of an operation whose proof lacks what a failed one should have kept", async () => {
    const { chain, told, calls } = start([OK, json({}, 500)], {
      operations: prepare({
        ...PROBE,
        operations: PROBE.operations.map((operation) =>
          operation.name === "look"
            ? { ...operation, keep: { receipt: "data.receipt" } }
            : operation.name === "refund"
              ? { ...operation, shown: { method: "GET", path: "/r/{receipt}", headers: {}, at: "s", is: "done" } }
              : operation,
        ),
      }),
    });
    await chain.step(ORIGIN);
    expect(await chain.step(ORIGIN)).toMatchObject({ operation: "look", kind: "failed" });
    expect([chain.next(), told.at(-1), calls.length]).toEqual(["pay", "abandon i1", 2]);
  });

  test("of which something is not known any more has failed: state was lost", async () => {
    const { chain } = start([OK, json({ code: "51603" })]);
    await chain.step(ORIGIN);
    expect(await chain.step(ORIGIN)).toMatchObject({ kind: "failed", code: "51603", isReached: true });
  });

  test("tells no value of its cohort that an answer repeats, and no code without end", async () => {
    const { chain } = start([json({ code: `why s3cret-token ${"x".repeat(500)}` }, 500)]);
    const outcome = await chain.step(ORIGIN);
    expect(JSON.stringify(outcome)).not.toContain("s3cret-token");
    expect(outcome).toMatchObject({
      kind: "failed",
      code: expect.stringMatching(/^why \(redacted\) x{1,60}$/) as string,
    });
  });

  test("waits while its cohort's own limit leaves it nothing", () => {
    const { chain } = start([], { limits: { has: () => false, take: () => false } });
    expect(chain.next()).toBeUndefined();
  });
});

describe("what is left open", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "midflight-left-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const leftover = (id: string) => ({ id, seat: 0, values: { "pay.id": id } });

  test("outlives the process, without what was closed and without a line that was never finished", () => {
    const file = join(folder, "left.ndjson");
    const first = startLeftovers(file);
    first.note(leftover("a"));
    first.note(leftover("b"));
    first.closed("a");
    first.end();
    writeFileSync(file, `${readFileSync(file, "utf8")}{"open":{"id":"c`);
    expect(startLeftovers(file).all()).toEqual([leftover("b")]);
  });

  test("does not grow without end", () => {
    const file = join(folder, "left.ndjson");
    const left = startLeftovers(file);
    left.note(leftover("stays"));
    for (let index = 0; index < 20_000; index += 1) {
      left.note(leftover(`x${index}`));
      left.closed(`x${index}`);
    }
    left.end();
    expect(readFileSync(file, "utf8").length).toBeLessThan(1_100_000);
    expect(startLeftovers(file).all()).toEqual([leftover("stays")]);
  });

  test("is kept in memory where no file can be written", () => {
    writeFileSync(join(folder, "a-file"), "");
    const left = startLeftovers(join(folder, "a-file", "left.ndjson"));
    left.note(leftover("a"));
    expect([left.find("a"), left.all().length]).toEqual([leftover("a"), 1]);
  });
});
