import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { guardThread } from "../../src/adapters/guard-thread/guard-thread.ts";
import { httpProbes } from "../../src/adapters/guard-thread/http-probes.ts";
import type { ProbeOutcome } from "../../src/adapters/guard-thread/probe-outcome.ts";
import { watchedRegion } from "../../src/cli/wiring/probes.ts";
import { plainGuard } from "../../src/plan/to-plan.ts";
import { Secrets } from "../../src/cli/wiring/secrets.ts";
import type { Verdict, VerdictState } from "../../src/guard/verdict.ts";
import { checkEnvironment } from "../../src/plan/check.ts";
import { parseEnvironment } from "../../src/plan/parse-environment.ts";
import type { WatchConfig, WatchedInstance, Watcher, WatchPulse } from "../../src/ports/watcher.ts";
import {
  paymentEnvironment,
  startPaymentServer,
  type PaymentFault,
  type PaymentServer,
} from "../fakes/payment-server.ts";
import { eventually, guardOf } from "../fakes/watched-venue.ts";
import { located } from "../unit/plan/plans.ts";

const TOKEN = "s3cret-payment-token";
const FOREVER = new AbortController().signal;
const GUARD = guardOf({ operations: ["pay", "refund"] });

let server: PaymentServer;
let watcher: Watcher | undefined;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "midflight-http-"));
  server = await startPaymentServer({
    token: TOKEN,
    instances: [
      { id: "pay-0", release: "pay@1.0" },
      { id: "pay-1", release: "pay@1.0" },
      { id: "pay-new", release: "pay@2.0" },
    ],
  });
  server.expose(["pay-0", "pay-1"]);
});
afterEach(async () => {
  await watcher?.stop();
  watcher = undefined;
  server.close();
  await rm(folder, { recursive: true, force: true });
});

/** As the command line builds it, from the file that a user writes. */
const regionOf = (token = TOKEN, text = paymentEnvironment(server.url)): WatchConfig["regions"][number] => {
  const environment = located(parseEnvironment(text, "payments.yaml"));
  expect(checkEnvironment(environment)).toEqual([]);
  const cohorts = [1, 2, 3, 4, 5].map((place) => ({ cohort: `merchant-${place}`, merchant: `m${place}` }));
  const env = { PAYMENTS_TOKEN: token, PAYMENTS_COHORTS: JSON.stringify(cohorts) };
  return watchedRegion(environment.value, plainGuard(), "tokyo", new Secrets(env, folder));
};

let made = 0;
const probesOf = (left?: string, region = regionOf()) => {
  const { probe, cohorts = [], rules } = region;
  if (probe?.kind !== "http" || rules === undefined) throw new Error("no probe over HTTP");
  return httpProbes({
    probe,
    cohorts,
    rules,
    deadlineMs: 250,
    newId: () => `id${(made++).toString(36)}`,
    ...(left === undefined ? {} : { left }),
  });
};

describe("an operation at a payment system", () => {
  // They look for a while after what may have been begun: all at once, and not after each test.
  const tries: ReturnType<typeof probesOf>[] = [];
  afterAll(() => Promise.all(tries.map((system) => system.stop())));
  const tried = async (fault: PaymentFault | undefined): Promise<ProbeOutcome> => {
    const system = probesOf();
    tries.push(system);
    server.fault(fault);
    return (await system.chains()[0]?.step(server.urlOf("pay-0"))) as ProbeOutcome;
  };
  const served = { operation: "pay", release: "pay@1.0", instance: "pay-0" };

  test.each<{ name: string; fault: PaymentFault | undefined; outcome: object }>([
    { name: "that goes well is ok, by whoever served it", fault: undefined, outcome: { ...served, kind: "ok" } },
    {
      name: "answered by a page of HTML with status 200 failed",
      fault: "html",
      outcome: {
        kind: "failed",
        code: "HTTP 200",
        unlisted: { rules: "payments", code: "HTTP 200", outcome: "ambiguous" },
      },
    },
    {
      name: "that is never answered failed at its deadline",
      fault: "hang",
      outcome: { kind: "failed", code: "timeout", isReached: false },
    },
    {
      name: "whose connection is cut failed",
      fault: "cut",
      outcome: { kind: "failed", code: "cut", isReached: false },
    },
    {
      name: "answered by a 500 without a code failed, and the status is told to whoever keeps the rules",
      fault: "500",
      outcome: { kind: "failed", code: "HTTP 500", isReached: true, unlisted: { outcome: "service" } },
    },
    {
      name: "whose code is in a range of service failures failed, also with status 200",
      fault: { code: "1542", http: 200 },
      outcome: { ...served, kind: "failed", code: "1542", isReached: true },
    },
    {
      name: "that is limited says nothing about the system",
      fault: "429",
      outcome: { kind: "none", why: "probes are refused with HTTP 429 (rate limit)" },
    },
    {
      name: "whose key is refused says nothing about the system",
      fault: { code: "1401", http: 401 },
      outcome: { kind: "none", why: "probes are refused with 1401 (key or signature)" },
    },
    {
      name: "refused on its merits is no failure",
      fault: { code: "1402", http: 200 },
      outcome: { kind: "none", why: "probes are rejected with 1402" },
    },
    {
      name: "with a code that no rule names is taken for business, and told",
      fault: "odd-code",
      outcome: {
        kind: "none",
        why: "probes are rejected with 7777",
        unlisted: { rules: "payments", code: "7777", outcome: "business" },
      },
    },
    {
      name: "that is acknowledged and not executed failed",
      fault: "ignore",
      outcome: { kind: "failed", code: "not shown" },
    },
    {
      name: "whose answer lacks what the user would go on with failed",
      fault: "no-id",
      outcome: { kind: "failed", code: "no data.id", isReached: true },
    },
  ])("$name", async ({ fault, outcome }) => expect(await tried(fault)).toMatchObject(outcome));

  test("that nobody hears failed, and was certainly not sent", async () => {
    const system = probesOf();
    server.close();
    const [chain] = system.chains();
    expect(await chain?.step("http://127.0.0.1:9")).toMatchObject({
      kind: "failed",
      code: "refused",
      isReached: false,
    });
    await system.stop();
  });
});

describe("what a probe begins is taken back", () => {
  test("by the next operation of its chain", async () => {
    const system = probesOf();
    const [chain] = system.chains();
    expect(await chain?.step(server.url)).toMatchObject({ operation: "pay", kind: "ok" });
    expect([server.open(), chain?.isOpen(), chain?.next()]).toEqual([1, true, "refund"]);
    expect(await chain?.step(server.url)).toMatchObject({ operation: "refund", kind: "ok" });
    expect([server.open(), chain?.isOpen(), chain?.next()]).toEqual([0, false, "pay"]);
    await system.stop();
    expect(server.payments()).toBe(1);
  });

  test("at the end, when a chain is left in the middle", async () => {
    const system = probesOf();
    await Promise.all(system.chains().map((chain) => chain.step(server.url)));
    expect(server.open()).toBe(5);
    await system.stop();
    expect(server.open()).toBe(0);
  });

  test("when its answer was lost, as soon as the system is well again", async () => {
    const system = probesOf();
    const [chain] = system.chains();
    // Executed, and the answer lacks its id: the user cannot know.
    server.fault("no-id");
    expect(await chain?.step(server.url)).toMatchObject({ kind: "failed" });
    server.fault(undefined);
    await eventually(
      () => (server.open() === 0 ? true : undefined),
      5_000,
      () => `open payments: ${server.open()}`,
    );
    await system.stop();
  });

  test("by whoever resumes after a kill, from a file that holds no secret and that nobody else reads", async () => {
    const file = join(folder, "run", "probes-left-tokyo.ndjson");
    // Nobody stops this one: it is as good as killed.
    const killed = probesOf(file);
    await killed.chains()[0]?.step(server.url);
    expect(server.open()).toBe(1);
    const text = await readFile(file, "utf8");
    expect(text).toContain("paymentId");
    expect(text).not.toContain(TOKEN);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const resumed = probesOf(file);
    await resumed.clean();
    expect(server.open()).toBe(0);
    await resumed.stop();
    expect(await readFile(file, "utf8")).not.toContain(TOKEN);
    await killed.stop();
  });
});

/** The guard on the payment system, with pinned probes at its instances. */
const watched = async (token = TOKEN) => {
  const guard = guardThread();
  watcher = guard;
  const verdicts: Verdict[] = [];
  const pulses: WatchPulse[] = [];
  const config: WatchConfig = {
    guard: { ...GUARD, suspectForMs: 3_000 },
    orderPrefix: "mfpay",
    regions: [regionOf(token)],
    left: join(folder, "probes-left"),
  };
  const instance = (id: string, side: "old" | "new", inTraffic: boolean): WatchedInstance => ({
    id,
    side,
    inTraffic,
    component: "pay",
    region: "tokyo",
    release: side === "new" ? "pay@2.0" : "pay@1.0",
    url: server.urlOf(id),
  });
  const before = [instance("pay-0", "old", true), instance("pay-1", "old", true)];
  guard.instances(before);
  await guard.start(config, {
    verdict: (verdict) => void verdicts.push(verdict),
    pulse: (pulse) => void pulses.push(pulse),
  });
  return {
    guard,
    verdicts,
    pulses,
    dark: instance("pay-new", "new", false),
    admit(): void {
      guard.instances([...before, instance("pay-new", "new", true)]);
      guard.mark({ id: "admit", cause: { kind: "instances", component: "pay", regions: ["tokyo"] } });
      server.expose(["pay-0", "pay-1", "pay-new"]);
    },
    withdraw(): void {
      server.expose(["pay-0", "pay-1"]);
      guard.instances([...before, instance("pay-new", "new", false)]);
    },
    until: (state: VerdictState): Promise<Verdict> =>
      eventually(
        () => (verdicts.at(-1)?.state === state ? verdicts.at(-1) : undefined),
        15_000,
        () => `${state}; verdicts: ${JSON.stringify(verdicts.map((verdict) => [verdict.state, verdict.reason]))}`,
      ),
  };
};

describe("the guard on a payment system", () => {
  test("asks each new instance for itself before it lets an old one leave, however little it wants to know of all", async () => {
    const many = Array.from({ length: 12 }, (_, index) => ({ id: `pay-new-${index}`, release: "pay@2.0" }));
    server.close();
    server = await startPaymentServer({ token: TOKEN, instances: [{ id: "pay-0", release: "pay@1.0" }, ...many] });
    const guard = guardThread();
    watcher = guard;
    const of = (id: string, side: "old" | "new", release: string): WatchedInstance => ({
      id,
      side,
      release,
      inTraffic: true,
      component: "pay",
      region: "tokyo",
      url: server.urlOf(id),
    });
    // Whoever is asked through the public address is the old one.
    server.expose(["pay-0"]);
    const old = of("pay-0", "old", "pay@1.0");
    guard.instances([old]);
    await guard.start(
      { guard: GUARD, orderPrefix: "mfpay", regions: [regionOf()] },
      { verdict: () => undefined, pulse: () => undefined },
    );
    const little = { excludePct: 80, confidencePct: 50 };
    await guard.evidence(little, FOREVER);
    guard.instances([old, ...many.map(({ id, release }) => of(id, "new", release))]);
    guard.mark({ id: "admit", cause: { kind: "instances", component: "pay", regions: ["tokyo"] } });
    await guard.evidence(little, FOREVER);
    expect(many.filter(({ id }) => server.requestsOf(id) === 0)).toEqual([]);
    const asked = many.map(({ id }) => server.requestsOf(id));
    expect(Math.max(...asked), "nobody is asked again before all were").toBeLessThanOrEqual(4);
  });

  test("takes back what a guard of the same run left open that was killed", { timeout: 40_000 }, async () => {
    const config: WatchConfig = {
      guard: GUARD,
      orderPrefix: "mfpay",
      regions: [regionOf()],
      left: join(folder, "probes-left"),
    };
    const child = spawn(process.execPath, [join(import.meta.dirname, "processes", "watch-until-killed.ts")], {
      env: { ...process.env, WATCH: JSON.stringify(config) },
      stdio: ["ignore", "pipe", "inherit"],
    });
    await eventually(
      () => (server.open() >= 2 ? true : undefined),
      20_000,
      () => "open payments",
    );
    // Nothing is taken back from here on.
    server.fault("hang");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(server.open()).toBeGreaterThan(0);
    server.fault(undefined);
    const resumed = guardThread();
    watcher = resumed;
    await resumed.start(config, { verdict: () => undefined, pulse: () => undefined });
    await resumed.stop();
    expect(server.open()).toBe(0);
  });

  test("calls it healthy on evidence of each of its operations, and leaves no payment behind", async () => {
    const world = await watched();
    await world.until("healthy");
    await world.guard.stop();
    expect(new Set(world.pulses.at(-1)?.streams.map(({ operation }) => operation))).toEqual(new Set(["pay", "refund"]));
    expect(world.pulses.at(-1)?.unlisted).toBeUndefined();
    expect(server.payments()).toBeGreaterThan(20);
    expect(server.open()).toBe(0);
  });

  test("proves a good release in the dark, and refutes a bad one with operation, counts and code", async () => {
    const world = await watched();
    const order = { id: "p", instances: [world.dark], excludePct: 10, confidencePct: 99, deadlineMs: 20_000 };
    expect(await world.guard.prove(order, FOREVER)).toMatchObject({ kind: "proved" });
    server.fault({ code: "1500", http: 200 }, ["pay-new"]);
    expect(await world.guard.prove({ ...order, id: "q" }, FOREVER)).toMatchObject({
      kind: "refuted",
      reason: expect.stringMatching(/^pay on pay-new \(pay@2\.0\): \d+ of \d+ failed, mostly 1500$/) as string,
    });
    await world.guard.stop();
  });

  test("says failing of a new release in traffic that acknowledges payments and makes none", async () => {
    const world = await watched();
    await world.until("healthy");
    server.fault("ignore", ["pay-new"]);
    world.admit();
    const suspect = await world.until("suspect");
    expect(suspect.reason).toMatch(
      /^(merchant-.*: )?(pay|refund|pay and refund) (in tokyo on pay@2\.0: \d+ of \d+ failed|fails?) .*not shown/,
    );
    world.withdraw();
    expect((await world.until("failing")).regions).toEqual(["tokyo"]);
    await world.guard.stop();
  });

  test("is unknown while the probes' key is refused, and never tells the key: not in a code that an answer repeats either", async () => {
    const world = await watched();
    await world.until("healthy");
    server.fault({ code: "1401", http: 401 });
    expect((await world.until("unknown")).reason).toMatch(/no outcome of .* probes are refused with 1401/);
    server.fault("echo");
    await eventually(
      () => world.pulses.at(-1)?.unlisted,
      5_000,
      () => "an unlisted code",
    );
    await world.guard.stop();
    const told = JSON.stringify([world.verdicts, world.pulses]);
    expect(told).toContain("(redacted)");
    expect(told).not.toContain(TOKEN);
  });
});
