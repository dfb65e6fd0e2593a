import { describe, expect, test } from "vitest";
import { checkEnvironment } from "../../../src/plan/check.ts";
import { checkSecrets } from "../../../src/plan/check-secrets.ts";
import { parseEnvironment } from "../../../src/plan/parse-environment.ts";
import { checkAllChanged, ENVIRONMENT, located, marked } from "./plans.ts";

const withSources = (sources: string, environment = ENVIRONMENT): string => `${environment}sources:\n${sources}`;
const parsed = (sources: string) => located(parseEnvironment(withSources(sources), "production.yaml")).value.sources;
const refused = (sources: string) => {
  const result = parseEnvironment(withSources(sources), "production.yaml");
  return result.ok ? checkEnvironment(result.located) : result.problems;
};
const PROMETHEUS = "  - prometheus: { metric: venue_operations_total, url: http://127.0.0.1:9090 }\n";
const COMMAND = "  - command: [node, counts.mjs]\n";

describe("live sources", () => {
  test("are read with their defaults", () => {
    expect(parsed(PROMETHEUS)).toEqual([
      {
        kind: "prometheus",
        regions: ["tokyo", "frankfurt"],
        operations: ["order", "amend", "cancel"],
        countsProbes: true,
        url: "http://127.0.0.1:9090",
        query: "venue_operations_total{}[30s]",
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
        everyMs: 1_000,
        staleAfterMs: 30_000,
      },
    ]);
    expect(parsed(COMMAND)).toEqual([
      {
        kind: "command",
        regions: ["tokyo", "frankfurt"],
        operations: ["order", "amend", "cancel"],
        countsProbes: false,
        argv: ["node", "counts.mjs"],
        silentAfterMs: 5_000,
      },
    ]);
  });

  test("are read with all that may be said", () => {
    const [source] = parsed(
      `  - prometheus:
      metric: orders_total
      match: ['cluster="a"', 'env!~"test|dev"']
      url: { env: PROMETHEUS_URL }
      token: { file: ./token }
      labels: { operation: kind, region: dc, release: version, instance: pod, http: status, cohort: shard }
      codes: false
      every: 250ms
      staleAfter: 1m30s
    regions: [tokyo]
    operations: [order]
    countsProbes: false
`,
    );
    expect(source).toMatchObject({
      regions: ["tokyo"],
      operations: ["order"],
      countsProbes: false,
      url: { env: "PROMETHEUS_URL" },
      token: { file: "./token" },
      query: 'orders_total{cluster="a",env!~"test|dev"}[1m30s]',
      labels: { operation: "kind", region: "dc", release: "version", instance: "pod", http: "status", cohort: "shard" },
      hasCodes: false,
      everyMs: 250,
      staleAfterMs: 90_000,
    });
    expect(parsed(`  - prometheus: { query: 'orders{a="b"}[45s] ', url: http://p }\n`)).toMatchObject([
      { query: 'orders{a="b"}[45s]' },
    ]);
    expect(parsed("  - prometheus: { metric: orders, url: http://p, every: 1m }\n")).toMatchObject([
      { everyMs: 60_000, staleAfterMs: 180_000 },
    ]);
  });

  test.each<{ name: string; sources: string; code: string; mark: string; says: RegExp }>([
    {
      name: "asked too often",
      sources: PROMETHEUS.replace("url:", "every: 100ms, url:"),
      code: "VALUE_WRONG",
      mark: "100ms",
      says: /less than 250ms/,
    },
    {
      name: "believed for less than the time between two looks",
      sources: PROMETHEUS.replace("url:", "every: 5s, staleAfter: 6s, url:"),
      code: "VALUE_WRONG",
      mark: "6s",
      says: /stale after 6s.*every 5s/,
    },
    {
      name: "without a counter",
      sources: "  - prometheus: { url: http://p }\n",
      code: "KEY_MISSING",
      mark: "prometheus",
      says: /metric, query/,
    },
    {
      name: "with two counters",
      sources: `  - prometheus: { metric: a, query: "a[30s]", url: http://p }\n`,
      code: "KEY_UNKNOWN",
      mark: "query",
      says: /one of metric, query/,
    },
    {
      name: "that asks for no range",
      sources: `  - prometheus: { query: "rate(a[30s])", url: http://p }\n`,
      code: "VALUE_WRONG",
      mark: '"rate(a[30s])"',
      says: /ends in a range/,
    },
    {
      name: "that asks for values between samples",
      sources: `  - prometheus: { query: "sum(a)[30s:1s]", url: http://p }\n`,
      code: "VALUE_WRONG",
      mark: '"sum(a)[30s:1s]"',
      says: /ends in a range/,
    },
    {
      name: "with a matcher that is none",
      sources: PROMETHEUS.replace("url:", "match: [cluster], url:"),
      code: "VALUE_WRONG",
      mark: "cluster",
      says: /a matcher such as/,
    },
    {
      name: "without an address",
      sources: PROMETHEUS.replace("http://127.0.0.1:9090", "127.0.0.1:9090"),
      code: "VALUE_WRONG",
      mark: "127.0.0.1:9090",
      says: /base address/,
    },
    {
      name: "with a password in its address",
      sources: PROMETHEUS.replace("127.0.0.1", "me:hunter2@127.0.0.1"),
      code: "SECRET_IN_FILE",
      mark: "http://me:*******@127.0.0.1:9090",
      says: /address of a Prometheus/,
    },
    {
      name: "of an unknown region",
      sources: "  - command: [a]\n    regions: [tokio]\n",
      code: "REGION_UNKNOWN",
      mark: "tokio",
      says: /no region "tokio"/,
    },
    {
      name: "of one region twice",
      sources: "  - command: [a]\n    regions: [tokyo, tokyo]\n",
      code: "NAME_REPEATED",
      mark: "tokyo",
      says: /named twice/,
    },
    {
      name: "of an unknown operation",
      sources: "  - command: [a]\n    operations: [orders]\n",
      code: "OPERATION_UNPROBED",
      mark: "orders",
      says: /no probe tries the operation "orders"/,
    },
    {
      name: "of nothing",
      sources: "  - {}\n",
      code: "KEY_MISSING",
      mark: "{}",
      says: /prometheus, command/,
    },
    {
      name: "with a misspelt key",
      sources: "  - command: [a]\n    silentAftr: 3s\n",
      code: "KEY_UNKNOWN",
      mark: "silentAftr",
      says: /no key/,
    },
    {
      name: "that count the same twice",
      sources: `${PROMETHEUS}    operations: [order, amend]\n${COMMAND}    operations: [amend, cancel]\n    regions: [tokyo]\n`,
      code: "SOURCES_OVERLAP",
      mark: "command",
      says: /^amend in tokyo would be counted twice: by sources\[0\] and by sources\[1\]$/,
    },
  ])("$name are refused where they are wrong", ({ sources, code, mark, says }) => {
    const problems = refused(sources);
    expect(problems.map((problem) => problem.code)).toEqual([code]);
    expect(problems.map(marked)).toEqual([mark]);
    expect(problems[0]?.message ?? "").toMatch(says);
  });

  test("that share operations, but no region, stand side by side, and so with counters of instances", () => {
    const counters = ENVIRONMENT.replace(
      "instances: 6",
      "instances: 6, counters: { path: /m, metric: operations_total }",
    );
    const codesOf = (sources: string) =>
      checkEnvironment(located(parseEnvironment(withSources(sources, counters), "production.yaml"))).map(
        (problem) => `${problem.code} ${problem.message}`,
      );
    expect(refused(`${PROMETHEUS}    regions: [tokyo]\n${COMMAND}    regions: [frankfurt]\n`)).toEqual([]);
    expect(codesOf(PROMETHEUS)).toEqual([
      "SOURCES_OVERLAP order, amend, cancel in tokyo would be counted twice: by the counters of gateway and by sources[0]",
    ]);
  });

  test("want their secrets before anything starts", () => {
    const { value, source } = located(
      parseEnvironment(
        withSources("  - prometheus: { metric: a, url: { env: PROM_URL }, token: { env: PROM_TOKEN } }\n"),
        "production.yaml",
      ),
    );
    const env = { ORDERS_DB_URL: "x", PROBES_TOKYO: "x", PROBES_FRANKFURT: "x" };
    expect(checkSecrets({ value, source }, env).map(({ message }) => message)).toEqual([
      "the environment variable PROM_URL is not set: the address of a Prometheus server",
      "the environment variable PROM_TOKEN is not set: the token for a Prometheus server",
    ]);
  });
});

describe("a region without a probe", () => {
  const PROBE = "{ probe: { okx: { rest: http://127.0.0.1:7210, accounts: { env: PROBES_FRANKFURT } } } }";
  const END = "instances: 6 }\n";
  const DARK = ["- roll: gateway\n", "- roll: gateway\n    dark: none\n"] as const;
  const codes = (source: string, ...plan: readonly (readonly [string, string])[]) =>
    checkAllChanged({
      plan,
      environment: [
        [PROBE, "{}"],
        [END, `${END}sources:\n  - command: [a]\n${source}`],
      ],
    }).map((problem) => `${problem.code} ${problem.message}`);

  test("is watched where a source tells of it, and nothing is proved in the dark there", () => {
    expect(codes("    regions: [frankfurt]\n", DARK)).toEqual([]);
    expect(codes("    regions: [frankfurt]\n")).toEqual([
      "PROOF_IMPOSSIBLE frankfurt has no probe, so nothing can be proved there before users reach it",
    ]);
  });

  test("must be told of in every operation that the plan watches", () => {
    expect(codes("    regions: [frankfurt]\n    operations: [order, cancel]\n", DARK)).toEqual([
      "GUARD_BLIND nobody tells the guard of amend in frankfurt: there is no probe, and no source counts it",
    ]);
  });

  test("is refused where the source tells of others", () => {
    expect(codes("    regions: [tokyo]\n", DARK).map((text) => text.split(" ")[0])).toEqual(["REGION_UNPROBED"]);
  });
});
