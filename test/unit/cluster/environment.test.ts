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
import { environmentOn, releasesOn } from "../../cluster/venue/environment.ts";
import type { GatewayImages } from "../../cluster/venue/images.ts";
import { located } from "../plan/plans.ts";

const PLANS = fileURLToPath(new URL("../../../plans/", import.meta.url));
const text = (name: string): string => readFileSync(join(PLANS, name), "utf8");

const image = (digit: string): string => `localhost/venue-gateway@sha256:${digit.repeat(64)}`;
const IMAGES: GatewayImages = { "1.0": image("a"), "2.0": image("b"), "2.1": image("c"), "2.2": image("d") };
const SERVICES = { tokyo: "198.19.0.7:8080", frankfurt: "198.19.0.8:8080" };
const environment = environmentOn(text("production.yaml"), { services: SERVICES, instances: 6 });
const releases = releasesOn(text("releases.yaml"), IMAGES);

type Written = {
  readonly regions: Readonly<Record<string, { readonly probe: { readonly okx: Readonly<Record<string, unknown>> } }>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

/** Without what may differ: addresses, and how the gateways are driven. */
function apart(file: string): object {
  const { regions, components, ...rest } = parse(file) as Written;
  const { gateway, ...others } = components;
  const probes = Object.entries(regions).map(([region, { probe }]) => {
    const { rest: _rest, ws: _ws, ...kept } = probe.okx;
    return [region, kept];
  });
  return { ...rest, others, counters: gateway?.["counters"], instances: gateway?.["instances"], probes };
}

test("the environment in a cluster differs from the shipped one by driver and addresses, and by nothing else", () => {
  expect(apart(environment)).toEqual(apart(text("production.yaml")));
  const { regions, components } = parse(environment) as Written;
  expect(regions["frankfurt"]?.probe.okx).toMatchObject({
    rest: "http://198.19.0.8:8080",
    ws: "ws://198.19.0.8:8080/ws/v5",
  });
  expect(components["gateway"]).toMatchObject({ driver: "kubernetes", instances: 6 });
});

const MIGRATED = [
  ["good-upgrade", "orders"],
  ["metadata-2023", "orders-2023"],
  ["bad-release-dark", "orders"],
  ["bad-release-live", "orders"],
] as const;

test.each(MIGRATED)("%s.yaml is in order for the gateways in a cluster as it stands", (name, folder) => {
  const files = readdirSync(join(PLANS, "migrations", folder));
  const read = readMigrations(
    files.map((file) => ({ name: file, bytes: readFileSync(join(PLANS, "migrations", folder, file)) })),
    `./migrations/${folder}`,
  );
  expect(read.problems).toEqual([]);
  const together = {
    plan: located(parsePlan(text(`${name}.yaml`), `plans/${name}.yaml`)),
    environment: located(parseEnvironment(environment, "plans/production.yaml")),
    releases: located(parseReleases(releases, "plans/releases.yaml")),
    migrations: { "orders-db": read.migrations },
  };
  expect(checkTogether(together)).toEqual([]);
});
