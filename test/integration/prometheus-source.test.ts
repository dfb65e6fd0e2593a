import { createServer, type RequestListener, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { guardThread } from "../../src/adapters/guard-thread/guard-thread.ts";
import type { LiveSource } from "../../src/adapters/guard-thread/sources/live-source.ts";
import { startPrometheus } from "../../src/adapters/guard-thread/sources/prometheus.ts";
import { OKX_V5 } from "../../src/guard/rules-okx.ts";
import type { Verdict } from "../../src/guard/verdict.ts";
import type { WatchedInstance, WatchedSource } from "../../src/ports/watcher.ts";
import { eventually, guardOf } from "../fakes/watched-venue.ts";
import { liveSink } from "../support/live-sink.ts";
import { findPrometheus, startExporter, startRealPrometheus, type Exporter } from "../support/prometheus.ts";
import { scratch } from "../support/scratch.ts";

const program = findPrometheus();
if (program === undefined)
  process.stderr.write("skipped: a live source from a real Prometheus; install it with apt-get install prometheus\n");

const folder = scratch();
const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const undo of cleanUp.splice(0).toReversed()) await undo();
});

const sourceOf = (url: string, more: Partial<Extract<WatchedSource, { kind: "prometheus" }>> = {}) => ({
  kind: "prometheus" as const,
  id: "sources[0]",
  url,
  query: "venue_operations_total{}[2s]",
  regions: ["tokyo"],
  operations: ["order", "amend", "cancel"] as const,
  rules: OKX_V5,
  countsProbes: false,
  labels: {
    operation: "operation",
    code: "code",
    http: "http",
    cohort: "cohort",
    region: "region",
    release: "release",
    instance: "instance",
  },
  hasCodes: true,
  everyMs: 250,
  staleAfterMs: 2_000,
  ...more,
});

const instanceAt = (url: string, side: "new" | "old"): WatchedInstance => ({
  id: `tokyo-${side}`,
  component: "gateway",
  region: "tokyo",
  release: side === "new" ? "gateway@2.0" : "gateway@1.0",
  side,
  url,
  inTraffic: true,
});

const exporter = async (): Promise<Exporter> => {
  const started = await startExporter();
  cleanUp.push(() => started.close());
  return started;
};

describe.skipIf(program === undefined)("a real Prometheus server", () => {
  const place = async (labels: (side: "new" | "old") => Readonly<Record<string, string>> = () => ({})) => {
    const [old, fresh] = [await exporter(), await exporter()];
    for (const one of [old, fresh]) for (const operation of ["order", "amend"]) one.count(operation, 1_000);
    const server = await startRealPrometheus(program ?? "", folder(), [
      { address: old.address, labels: labels("old") },
      { address: fresh.address, labels: labels("new") },
    ]);
    cleanUp.push(() => server.stop());
    return { old, fresh, server, instances: [instanceAt(old.url, "old"), instanceAt(fresh.url, "new")] };
  };
  const look = async (
    url: string,
    instances: readonly WatchedInstance[],
    more: Parameters<typeof sourceOf>[1] = {},
  ) => {
    const sink = liveSink();
    const source: LiveSource = startPrometheus({ ...sourceOf(url, more), ...sink.how });
    source.instances(instances);
    cleanUp.push(() => source.stop());
    await sink.seeing();
    return { ...sink, instances: (now: readonly WatchedInstance[]) => source.instances(now) };
  };

  test("has every operation counted once and on its side, failures of a new kind from the first one on", async () => {
    const { old, fresh, server, instances } = await place();
    const sink = await look(server.url, instances);
    const before = sink.bins.length;
    old.count("order", 100);
    old.count("amend", 40);
    fresh.count("amend", 30);
    fresh.count("amend", 14, { code: "50026", http: 500 });
    await eventually(
      () => (sink.sum(() => true, "issued") === 184 ? true : undefined),
      10_000,
      () => `184 operations; told: ${JSON.stringify(sink.bins.slice(before))}`,
    );
    expect(sink.sum(({ side }) => side === "new", "issued")).toBe(44);
    expect(sink.sum(({ side, operation }) => side === "new" && operation === "amend", "failed")).toBe(14);
    expect(sink.sum(({ side }) => side === "old", "failed")).toBe(0);
    expect(sink.bins.flatMap(({ counts }) => counts).find(({ failed }) => failed > 0)).toMatchObject({
      release: "gateway@2.0",
      region: "tokyo",
      cohort: "shard-1",
      source: "live",
      isExposed: true,
      codes: { "50026": 14 },
    });
    // Bins follow one another, and none is from the future.
    expect(sink.bins.slice(1).every((bin, index) => bin.at - bin.ms === sink.bins[index]?.at)).toBe(true);
    expect(sink.bins.every(({ at, ms }) => at <= sink.how.now() && ms > 0)).toBe(true);
    const counted = sink.sum(() => true, "issued");
    const seen = sink.bins.length;
    await eventually(
      () => (sink.bins.length > seen + 3 ? true : undefined),
      10_000,
      () => "more bins",
    );
    expect(sink.sum(() => true, "issued")).toBe(counted);
    expect(sink.unlisted).toEqual([]);
    fresh.count("order", 2, { code: "59990", http: 500 });
    await eventually(
      () => sink.unlisted.find(({ code, outcome, times }) => code === "59990" && outcome === "service" && times === 2),
      10_000,
      () => `a code that no rule names; told: ${JSON.stringify(sink.unlisted)}`,
    );
  }, 60_000);

  test("is understood by regions and releases where nobody knows its addresses", async () => {
    const { fresh, server, instances } = await place((side) => ({
      region: "tokyo",
      release: side === "new" ? "2.0" : "gateway@1.0",
    }));
    const behind = instances.map((instance) => ({ ...instance, url: `http://192.0.2.1/${instance.id}` }));
    const sink = await look(server.url, behind);
    fresh.count("order", 7, { code: "50001", http: 500 });
    await eventually(
      () => (sink.sum(() => true, "failed") === 7 ? true : undefined),
      10_000,
      () => `7 failures; told: ${JSON.stringify(sink.bins)}`,
    );
    expect(sink.sum(({ side, release }) => side === "new" && release === "gateway@2.0", "failed")).toBe(7);
  }, 60_000);

  test("that goes away is seen to be gone, and when it comes back nothing is counted twice", async () => {
    const { old, server, instances } = await place();
    const sink = await look(server.url, instances);
    await server.stop();
    const gone = await sink.blind(/^Prometheus at 127\.0\.0\.1:\d+ refuses connections$/);
    expect(gone.regions).toEqual(["tokyo"]);
    await server.restart();
    await sink.seeing(30_000);
    old.count("order", 5);
    await eventually(
      () => (sink.sum(() => true, "issued") === 5 ? true : undefined),
      10_000,
      () => `5 operations; told: ${JSON.stringify(sink.bins)}`,
    );
  }, 90_000);

  test("that cannot reach the instances any more sees nothing, although it answers", async () => {
    const { old, fresh, server, instances } = await place();
    const sink = await look(server.url, instances);
    await Promise.all([old.close(), fresh.close()]);

    const gone = await sink.blind(/^Prometheus at 127\.0\.0\.1:\d+ has no sample of tokyo /);
    expect(gone.regions).toEqual(["tokyo"]);
  }, 60_000);

  test("that cannot reach one instance any more says which, until that one has left", async () => {
    const { old, server, instances } = await place();
    const sink = await look(server.url, instances);
    await old.close();
    const gone = await sink.blind(
      /^Prometheus at 127\.0\.0\.1:\d+ has no sample of tokyo-old that is younger than 2 s$/,
    );
    expect(gone.regions).toEqual(["tokyo"]);
    sink.instances(instances.slice(1));
    await sink.seeing();
  }, 60_000);

  test("is refused when it does not understand the query", async () => {
    const { server } = await place();
    const sink = liveSink();
    const source = startPrometheus({ ...sourceOf(server.url, { query: "venue_operations_total{[2s]" }), ...sink.how });
    cleanUp.push(() => source.stop());
    const refused = await sink.blind(/^Prometheus at 127\.0\.0\.1:\d+ refuses the query: bad_data: /);
    expect(refused.regions).toEqual(["tokyo"]);
  }, 60_000);

  test("feeds the guard: health is shown, a bad release is accused, and a server that is gone is no health", async () => {
    const { old, fresh, server, instances } = await place();
    let failing = 0;
    const users = setInterval(() => {
      old.count("order", 4);
      old.count("amend", 4);
      fresh.count("order", 4);
      fresh.count("amend", 4 - failing);
      fresh.count("amend", failing, { code: "50026", http: 500 });
    }, 20);
    cleanUp.push(() => clearInterval(users));
    const watcher = guardThread();
    cleanUp.push(() => watcher.stop());
    const verdicts: Verdict[] = [];
    await watcher.start(
      {
        guard: guardOf({ operations: ["order", "amend"] }),
        orderPrefix: "mf",
        regions: [{ region: "tokyo", accounts: [] }],
        sources: [sourceOf(server.url, { query: "venue_operations_total{}[8s]", staleAfterMs: 8_000 })],
      },
      { verdict: (verdict) => void verdicts.push(verdict), pulse: () => undefined },
    );
    watcher.instances(instances);
    const until = (...states: readonly Verdict["state"][]): Promise<Verdict> =>
      eventually(
        () => (states.includes(verdicts.at(-1)?.state ?? "unknown") ? verdicts.at(-1) : undefined),
        20_000,
        () => `${states.join()}; told: ${JSON.stringify(verdicts.map(({ state, reason }) => [state, reason]))}`,
      );
    await until("healthy");
    watcher.mark({ id: "m", cause: { kind: "instances", component: "gateway", regions: ["tokyo"] } });
    const proved = await watcher.evidence({ excludePct: 10, confidencePct: 99 }, new AbortController().signal);
    expect(proved.state).toBe("healthy");
    failing = 2;
    const accused = await until("suspect", "failing");
    expect(accused.reason).toMatch(
      /^amend in tokyo on gateway@2\.0: \d+ of \d+ failed \(50026\), 0 of \d+ on gateway@1\.0/,
    );
    failing = 0;
    watcher.instances(instances.slice(0, 1));
    watcher.mark({ id: "back", cause: { kind: "back" } });
    await until("healthy");
    await server.stop();
    const unseen = await until("unknown");
    expect(unseen.reason).toMatch(/^what users see is not known: Prometheus at 127\.0\.0\.1:\d+ refuses connections$/);
  }, 90_000);
});

describe("a server that is no Prometheus, or none that can be believed", () => {
  const serve = async (listener: RequestListener): Promise<string> => {
    const server: Server = createServer(listener);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanUp.push(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const watch = (url: string, more: Parameters<typeof sourceOf>[1] = {}) => {
    const sink = liveSink();
    const source = startPrometheus({ ...sourceOf(url, more), ...sink.how });
    cleanUp.push(() => source.stop());
    return sink;
  };
  const json = (value: unknown): string => JSON.stringify({ status: "success", data: value });
  const clock = (): string => json({ resultType: "scalar", result: [Date.now() / 1000, "0"] });
  const answering =
    (samples: () => unknown): RequestListener =>
    (request, response) => {
      response.end(
        request.url?.includes("time()") === true || request.url?.includes("time%28%29") === true
          ? clock()
          : json({ resultType: "matrix", result: samples() }),
      );
    };

  test.each<{ name: string; listener: RequestListener; why: RegExp }>([
    {
      name: "a page",
      listener: (_, response) => response.end("<!doctype html>"),
      why: /answers with something else than JSON: "<!doctype html>"$/,
    },
    {
      name: "a redirect",
      listener: (_, response) => response.writeHead(302, { location: "http://192.0.2.1/" }).end(),
      why: /redirects \(HTTP 302\), and redirects are not followed$/,
    },
    { name: "a refusal", listener: (_, response) => response.writeHead(403).end("no"), why: /answers HTTP 403$/ },
    { name: "silence", listener: () => undefined, why: /has not answered within 2 s$/ },
    {
      name: "half an answer",
      listener: (request, response) => {
        response.writeHead(200, { "content-length": "100" }).write("{");
        request.socket.destroySoon();
      },
      why: /closes the connection instead of answering$/,
    },
    {
      name: "no end of an answer",
      listener: (_, response) => {
        const page = Buffer.alloc(1_000_000, "x");
        const more = (): void => {
          while (!response.destroyed && response.write(page));
          response.once("drain", more);
        };
        more();
      },
      why: /answers with more than 16 MB: select fewer series, or a shorter range$/,
    },
    { name: "nothing at all", listener: answering(() => []), why: /has no sample of tokyo for venue_operations_total/ },
    {
      name: "operations of no region",
      listener: answering(() => [
        { metric: { operation: "order" }, values: [[Date.now() / 1000, String(Date.now())]] },
      ]),
      why: /counts operations that are of no region, such as \{operation="order"\}$/,
    },
    {
      name: "samples of long ago",
      listener: answering(() => [{ metric: { region: "tokyo" }, values: [[Date.now() / 1000 - 60, "1"]] }]),
      why: /has no sample of tokyo that is younger than 2 s$/,
    },
  ])("that sends $name leaves the guard without sight, and says why", async ({ name, listener, why }) => {
    const sink = watch(
      await serve(listener),
      name === "operations of no region" ? { regions: ["tokyo", "osaka"] } : {},
    );
    await sink.blind(why);
    expect(sink.bins.flatMap(({ counts }) => counts)).toEqual([]);
  });

  test("is given its token, and a failure now and then is waited out", async () => {
    const seen = new Set<string | undefined>();
    let asked = 0;
    const sink = watch(
      await serve((request, response) => {
        seen.add(request.headers.authorization);
        asked++;
        if (asked % 7 === 0) response.writeHead(503).end();
        else
          answering(() => [{ metric: { region: "tokyo", operation: "order" }, values: [[Date.now() / 1000, "1"]] }])(
            request,
            response,
          );
      }),
      { token: "s3cret-token" },
    );
    await sink.seeing();
    await eventually(
      () => (asked > 40 ? true : undefined),
      20_000,
      () => "forty questions",
    );
    expect([...seen]).toEqual(["Bearer s3cret-token"]);
    expect(sink.sights.map(({ why }) => why !== undefined)).toEqual([true, false]);
  }, 30_000);
});
