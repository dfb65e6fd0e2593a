import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { checkTogether } from "../../../src/plan/check.ts";
import { readMigrations } from "../../../src/plan/migrations.ts";
import { parseEnvironment } from "../../../src/plan/parse-environment.ts";
import { parsePlan } from "../../../src/plan/parse-plan.ts";
import { parseReleases } from "../../../src/plan/parse-releases.ts";
import { environmentOn } from "../../cluster/venue/environment.ts";
import type { GatewayImages } from "../../cluster/venue/images.ts";
import { located } from "../plan/plans.ts";

const PLANS = fileURLToPath(new URL("../../../plans/", import.meta.url));
const text = (name: string): string => readFileSync(join(PLANS, name), "utf8");

const image = (digit: string): string => `localhost/venue-gateway@sha256:${digit.repeat(64)}`;
const IMAGES: GatewayImages = { "1.0": image("a"), "2.0": image("b"), "2.1": image("c"), "2.2": image("d") };
const SERVICES = { tokyo: "198.19.0.7:8080", frankfurt: "198.19.0.8:8080" };
const environment = environmentOn(text("production.yaml"), {
  env: "production",
  services: SERVICES,
  images: IMAGES,
  instances: 6,
});

type Written = {
  readonly regions: Readonly<Record<string, { readonly probe: { readonly okx: Readonly<Record<string, unknown>> } }>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly releases?: object;
};

/** Without what may differ: addresses, how the gateways are driven, and what that driver runs. */
function apart(file: string): object {
  const { regions, components, releases: _releases, ...rest } = parse(file) as Written;
  const { gateway, ...others } = components;
  const probes = Object.entries(regions).map(([region, { probe }]) => {
    const { rest: _rest, ws: _ws, ...kept } = probe.okx;
    return [region, kept];
  });
  return { ...rest, others, counters: gateway?.["counters"], instances: gateway?.["instances"], probes };
}

test("the environment in a cluster differs from the shipped one by driver, addresses and images, and by nothing else", () => {
  expect(apart(environment)).toEqual(apart(text("production.yaml")));
  const { regions, components, releases } = parse(environment) as Written;
  expect(regions["frankfurt"]?.probe.okx).toMatchObject({
    rest: "http://198.19.0.8:8080",
    ws: "ws://198.19.0.8:8080/ws/v5",
  });
  expect(components["gateway"]).toMatchObject({ driver: "kubernetes", instances: 6 });
  expect(releases).toEqual({
    "gateway@1.0": { kubernetes: { image: image("a") } },
    "gateway@2.0": { kubernetes: { image: image("b") } },
    "gateway@2.1": { kubernetes: { image: image("c") } },
    "gateway@2.2": { kubernetes: { image: image("d") } },
  });
});

const MIGRATED = [
  ["good-upgrade", "orders"],
  ["metadata-2023", "orders-2023"],
  ["bad-release-dark", "orders"],
  ["bad-release-live", "orders"],
  ["servers-2021", "orders"],
] as const;

test.each(MIGRATED)(
  "%s.yaml is in order for the gateways in a cluster, with the shipped releases, as it stands",
  (name, folder) => {
    const files = readdirSync(join(PLANS, "migrations", folder));
    const read = readMigrations(
      files.map((file) => ({ name: file, bytes: readFileSync(join(PLANS, "migrations", folder, file)) })),
      `./migrations/${folder}`,
    );
    expect(read.problems).toEqual([]);
    const together = {
      plan: located(parsePlan(text(`${name}.yaml`), `plans/${name}.yaml`)),
      environment: located(parseEnvironment(environment, "plans/production.yaml")),
      releases: located(parseReleases(text("releases.yaml"), "plans/releases.yaml")),
      migrations: { "orders-db": read.migrations },
    };
    expect(checkTogether(together)).toEqual([]);
  },
);
