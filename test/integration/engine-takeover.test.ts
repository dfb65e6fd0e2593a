import { existsSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { connectEngine } from "../../src/demo/venue/engine/client.ts";
import type { EngineAsk, EngineClient, EngineError } from "../../src/demo/venue/engine/client.ts";
import type { EngineEvent, EngineOrder } from "../../src/demo/venue/engine/protocol.ts";
import { startPair, until } from "./engine-pair.ts";
import type { EngineName, EnginePair } from "./engine-pair.ts";

/** The longest time without an active engine that users may meet, in ms. */
const TAKEOVER_BOUND_MS = 1_500;
const ROUNDS = 4;

let pair: EnginePair;
let client: EngineClient;
beforeEach(async () => {
  pair = await startPair();
  client = connectEngine({ engines: pair.engines, name: "test" });
});
afterEach(async () => {
  client.close();
  await pair.close();
});

const other = (name: EngineName): EngineName => (name === "a" ? "b" : "a");
const buy = (uid: string, clOrdId: string, px = "100"): EngineAsk => ({
  op: "place",
  uid,
  instId: "PROBE-USDT",
  side: "buy",
  ordType: "limit",
  tdMode: "cash",
  px,
  sz: "1",
  clOrdId,
  tag: "",
});

/** What users know of an order: the last state that was acknowledged, and what they sent without an answer. */
type Known = {
  readonly uid: string;
  readonly clOrdId: string;
  ordId: string;
  state: "live" | "canceled" | "nothing";
  sz: string;
  isOpenQuestion: boolean;
};

/** Users who place, amend and cancel, one operation after the other each, until they are told to stop. */
const load = (
  users: number,
): { readonly known: readonly Known[]; answered(): readonly number[]; stop(): Promise<void> } => {
  const known: Known[] = [];
  const answeredAt: number[] = [];
  let isOver = false;
  const ask = async (what: EngineAsk, one: Known, onOk: (order: EngineOrder) => void): Promise<void> => {
    try {
      const reply = await client.request(what, { timeoutMs: 4_000 });
      answeredAt.push(performance.now());
      if (reply.code === "0" && reply.order !== undefined) onOk(reply.order);
    } catch (error) {
      one.isOpenQuestion = (error as EngineError).ambiguous;
    }
  };
  const trade = async (uid: string): Promise<void> => {
    for (let count = 0; !isOver; count += 1) {
      const one: Known = {
        uid,
        clOrdId: `${uid}n${count}`,
        ordId: "",
        state: "nothing",
        sz: "",
        isOpenQuestion: false,
      };
      known.push(one);
      await ask(buy(uid, one.clOrdId), one, (order) =>
        Object.assign(one, { state: "live", ordId: order.ordId, sz: "1" }),
      );
      if (one.state === "live")
        await ask({ op: "amend", uid, instId: "PROBE-USDT", ordId: one.ordId, newSz: "2" }, one, () => (one.sz = "2"));
      if (!one.isOpenQuestion && count % 2 === 1)
        await ask({ op: "cancel", uid, instId: "PROBE-USDT", ordId: one.ordId }, one, () => (one.state = "canceled"));
    }
  };
  const running = Array.from({ length: users }, (_, index) => trade(String(1_000 + index)));
  return {
    known,
    answered: () => answeredAt,
    async stop() {
      isOver = true;
      await Promise.all(running);
    },
  };
};

/** The longest time in which no operation was answered, in ms. */
const longestGap = (times: readonly number[]): number =>
  Math.max(0, ...times.slice(1).map((time, index) => time - (times[index] ?? time)));

/** Compares what users know with what the engine shows. */
const faultsOf = async (known: readonly Known[]): Promise<readonly string[]> => {
  const faults: string[] = [];
  for (const one of known) {
    const { order } = await client.request(
      { op: "order", uid: one.uid, instId: "PROBE-USDT", clOrdId: one.clOrdId },
      { timeoutMs: 2_000 },
    );
    if (one.state === "nothing") continue;
    if (order === undefined) faults.push(`${one.clOrdId} is lost`);
    else if (order.ordId !== one.ordId) faults.push(`${one.clOrdId} was ${one.ordId} and is ${order.ordId}`);
    else if (!one.isOpenQuestion && (order.state !== one.state || order.sz !== one.sz))
      faults.push(`${one.clOrdId} should be ${one.state} of ${one.sz} and is ${order.state} of ${order.sz}`);
  }
  return faults;
};

/** Orders of the same name that both wait. */
const doubled = async (users: number): Promise<readonly string[]> => {
  const names: string[] = [];
  for (let index = 0; index < users; index += 1) {
    const { orders = [] } = await client.request(
      { op: "pending", uid: String(1_000 + index), limit: 100_000 },
      { timeoutMs: 2_000 },
    );
    names.push(...orders.map(({ clOrdId }) => clOrdId));
  }
  return names.filter((name, at) => names.indexOf(name) !== at);
};

test(
  "killed again and again under load, the engines lose no acknowledged order and double none",
  { timeout: 60_000 },
  async () => {
    const users = 8;
    const running = load(users);
    const gaps: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const active = await pair.inSync();
      const before = running.answered().length;
      await until("users trade", () => (running.answered().length > before + 100 ? true : undefined));
      const from = running.answered().length - 1;
      await pair.kill(active, "SIGKILL");
      await until("users trade again", () => (running.answered().length > from + 100 ? true : undefined));
      gaps.push(longestGap(running.answered().slice(from)));
      await pair.start(active);
    }
    await pair.inSync();
    await running.stop();
    process.stdout.write(
      `takeover after SIGKILL, longest time without an answer: ${gaps.map((gap) => `${gap.toFixed(0)} ms`).join(", ")}\n`,
    );
    expect(await faultsOf(running.known)).toEqual([]);
    expect(await doubled(users)).toEqual([]);
    expect(Math.max(...gaps)).toBeLessThan(TAKEOVER_BOUND_MS);
    expect(running.known.filter(({ state }) => state !== "nothing").length).toBeGreaterThan(400);
  },
);

test("an active engine that was halted is fenced when it wakes up: it acknowledges nothing, and what it held is on nobody's book twice", async () => {
  const active = await pair.inSync();
  const users = 4;
  const running = load(users);
  await until("users trade", () => (running.answered().length > 100 ? true : undefined));
  const from = running.answered().length - 1;
  pair.process(active).kill("SIGSTOP");
  await until("users trade again", () => (running.answered().length > from + 100 ? true : undefined));
  await running.stop();
  const gap = longestGap(running.answered().slice(from));
  process.stdout.write(`takeover after SIGSTOP, longest time without an answer: ${gap.toFixed(0)} ms\n`);
  expect(gap).toBeLessThan(TAKEOVER_BOUND_MS);

  // What is waiting for it in its socket when it wakes up is refused, not acknowledged.
  const raw = await talkTo(pair.address(active));
  for (let rid = 1; rid <= 20; rid += 1) raw.send({ rid, ...buy("1099", `late${rid}`) });
  pair.process(active).kill("SIGCONT");
  const replies = await until("the old engine answers", () => (raw.replies().length >= 20 ? raw.replies() : undefined));
  expect(replies.map(({ code }) => code)).toEqual(Array.from({ length: 20 }, () => "50001"));
  raw.close();
  expect(["fenced", "standby"]).toContain((await pair.status(active))?.role);
  expect(await pair.inSync()).toBe(other(active));
  expect((await client.request({ op: "pending", uid: "1099", limit: 100 }, { timeoutMs: 1_000 })).orders).toEqual([]);
  expect(await faultsOf(running.known)).toEqual([]);
  expect(await doubled(users)).toEqual([]);
});

test("an engine that comes back is the standby, has everything, and can take over in its turn", async () => {
  const active = await pair.inSync();
  await client.request(buy("1000", "first"), { timeoutMs: 1_000 });
  await pair.kill(active, "SIGKILL");
  await client.request(buy("1000", "second"), { timeoutMs: 3_000 });
  await pair.start(active);
  expect(await pair.inSync()).toBe(other(active));
  await client.request(buy("1000", "third"), { timeoutMs: 1_000 });
  await pair.kill(other(active), "SIGKILL");
  const { orders = [] } = await client.request({ op: "pending", uid: "1000", limit: 10 }, { timeoutMs: 3_000 });
  expect(orders.map(({ clOrdId }) => clOrdId)).toEqual(["third", "second", "first"]);
  expect(new Set(orders.map(({ ordId }) => ordId)).size).toBe(3);
});

test("the active engine goes on alone when its standby dies or halts, and takes it back afterwards", async () => {
  const active = await pair.inSync();
  await pair.kill(other(active), "SIGKILL");
  expect((await client.request(buy("1000", "alone"), { timeoutMs: 2_000 })).code).toBe("0");
  await pair.start(other(active));
  expect(await pair.inSync()).toBe(active);
  pair.process(other(active)).kill("SIGSTOP");
  expect((await client.request(buy("1000", "halted"), { timeoutMs: 2_000 })).code).toBe("0");
  pair.process(other(active)).kill("SIGCONT");
  expect(await pair.inSync()).toBe(active);
  await pair.kill(active, "SIGKILL");
  const { orders = [] } = await client.request({ op: "pending", uid: "1000", limit: 10 }, { timeoutMs: 3_000 });
  expect(orders.map(({ clOrdId }) => clOrdId)).toEqual(["halted", "alone"]);
});

test("while the standby is halted nothing is acknowledged, until the active engine has won the right to go on alone", async () => {
  const active = await pair.inSync();
  const epoch = (await pair.status(active))?.epoch ?? 0;
  pair.process(other(active)).kill("SIGSTOP");
  expect((await client.request(buy("1000", "waits"), { timeoutMs: 3_000 })).code).toBe("0");
  // Read at the moment of the answer: an answer before the claim could have been lost with this engine.
  expect(existsSync(join(pair.folder, "witness", `epoch-${epoch + 1}`))).toBe(true);
  pair.process(other(active)).kill("SIGCONT");
  expect(await pair.inSync()).toBe(active);
});

test("a standby that has not caught up never takes over, and when both died the last active one goes on", async () => {
  const active = await pair.inSync();
  await pair.kill(other(active), "SIGKILL");
  await client.request(buy("1000", "only-here"), { timeoutMs: 2_000 });
  await pair.kill(active, "SIGKILL");
  await pair.start(other(active));
  // Nobody may answer: the order that was acknowledged is not on this engine.
  await expect(client.request({ op: "pending", uid: "1000", limit: 10 }, { timeoutMs: 1_500 })).rejects.toMatchObject({
    sent: false,
    ambiguous: false,
  });
  await pair.start(active);
  const { orders = [] } = await client.request({ op: "pending", uid: "1000", limit: 10 }, { timeoutMs: 5_000 });
  expect(orders.map(({ clOrdId }) => clOrdId)).toEqual(["only-here"]);
  expect(await pair.inSync()).toBe(active);
});

test("SIGTERM ends the active engine cleanly, and users hardly notice", async () => {
  const active = await pair.inSync();
  const running = load(4);
  await until("users trade", () => (running.answered().length > 100 ? true : undefined));
  const from = running.answered().length - 1;
  await pair.kill(active, "SIGTERM");
  expect(pair.process(active).exitCode).toBe(0);
  await until("users trade again", () => (running.answered().length > from + 100 ? true : undefined));
  await running.stop();
  expect(longestGap(running.answered().slice(from))).toBeLessThan(TAKEOVER_BOUND_MS);
  expect(await faultsOf(running.known)).toEqual([]);
});

test("a follower misses no event in a takeover", async () => {
  const active = await pair.inSync();
  const seen: EngineEvent[] = [];
  client.follow((event) => seen.push(event));
  const running = load(4);
  await until("users trade", () => (running.answered().length > 100 ? true : undefined));
  const from = running.answered().length;
  await pair.kill(active, "SIGKILL");
  await until("users trade again", () => (running.answered().length > from + 100 ? true : undefined));
  await running.stop();
  const acknowledged = running.known.filter(({ state }) => state !== "nothing").map(({ clOrdId }) => clOrdId);
  const placed = (): ReadonlySet<string> =>
    new Set(seen.map((event) => (event.event === "order-update" ? event.order.clOrdId : "")));
  await until(
    "every acknowledged order was pushed",
    () => (acknowledged.every((name) => placed().has(name)) ? true : undefined),
    2_000,
  );
  const seqs = seen.map(({ seq = 0 }) => seq);
  expect(longestGap(seqs.toSorted((left, right) => left - right))).toBeLessThanOrEqual(2);
});

test("an order that was sent and never answered is reported as ambiguous, and one that was not sent as not sent", async () => {
  const active = await pair.inSync();
  pair.process(active).kill("SIGSTOP");
  pair.process(other(active)).kill("SIGSTOP");
  await expect(client.request(buy("1000", "in-doubt"), { timeoutMs: 200 })).rejects.toMatchObject({
    sent: true,
    ambiguous: true,
  });
  await pair.kill(other(active), "SIGKILL");
  await pair.kill(active, "SIGKILL");
  await expect(client.request(buy("1000", "not-sent"), { timeoutMs: 200 })).rejects.toMatchObject({
    sent: false,
    ambiguous: false,
  });
});

test("a malformed request is refused and harms nobody", async () => {
  const active = await pair.inSync();
  const raw = await talkTo(pair.address(active));
  raw.send({ rid: 1, op: "place", uid: "1000" });
  raw.send({ rid: 2, op: "drop everything" });
  raw.send({ rid: 3, ...buy("1000", "x"), side: "both" });
  const replies = await until("three answers", () => (raw.replies().length === 3 ? raw.replies() : undefined));
  expect(replies.map(({ code }) => code)).toEqual(["51000", "51000", "51000"]);
  raw.write("no json at all\n");
  await until("the connection is closed", () => (raw.isClosed() ? true : undefined));
  expect((await client.request(buy("1000", "fine"), { timeoutMs: 1_000 })).code).toBe("0");
});

type Raw = {
  send(message: object): void;
  write(text: string): void;
  replies(): readonly { readonly rid: number; readonly code: string }[];
  isClosed(): boolean;
  close(): void;
};

/** A connection that speaks the protocol by hand. */
const talkTo = async (address: string): Promise<Raw> => {
  const [host = "", port = ""] = address.split(":");
  const socket = connect({ host, port: Number(port) });
  let text = "";
  socket.setEncoding("utf8").on("data", (part) => (text += String(part)));
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("connect", resolve));
  const lines = (): readonly Record<string, unknown>[] =>
    text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return {
    send: (message) => void socket.write(`${JSON.stringify(message)}\n`),
    write: (raw) => void socket.write(raw),
    replies: () => lines().filter((line): line is { rid: number; code: string } => "rid" in line),
    isClosed: () => socket.destroyed,
    close: () => void socket.destroy(),
  };
};
