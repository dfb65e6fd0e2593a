import { expect, test } from "vitest";
import { watchedSources } from "../../../src/cli/wiring/sources.ts";
import { Secrets } from "../../../src/cli/wiring/secrets.ts";
import { parseEnvironment } from "../../../src/plan/parse-environment.ts";
import { ENVIRONMENT, located } from "../plan/plans.ts";

const environmentOf = (sources: string) =>
  located(parseEnvironment(`${ENVIRONMENT}sources:\n${sources}`, "production.yaml")).value;
const PROMETHEUS =
  "  - prometheus: { metric: orders, url: { env: PROM_URL }, token: { env: PROM_TOKEN } }\n    regions: [tokyo]\n";

test("live sources get what must not stand in a file, and it is blacked out from then on", () => {
  const secrets = new Secrets({ PROM_URL: "http://me:hunter22@10.0.0.1:9090/prom", PROM_TOKEN: "s3cret-token" }, ".");
  const environment = environmentOf(`${PROMETHEUS}  - command: [node, counts.mjs]\n    regions: [frankfurt]\n`);
  expect(watchedSources(environment, secrets, "/work")).toMatchObject([
    { kind: "prometheus", id: "sources[0]", url: "http://me:hunter22@10.0.0.1:9090/prom", token: "s3cret-token" },
    {
      kind: "command",
      id: "sources[1]",
      argv: ["node", "counts.mjs"],
      cwd: "/work",
      env: { MIDFLIGHT_ENVIRONMENT: "production" },
    },
  ]);
  expect(secrets.seen()).toEqual(expect.arrayContaining(["s3cret-token", "hunter22"]));
});

test.each([
  { name: "missing", env: { PROM_TOKEN: "t" }, code: "SECRET_MISSING" },
  { name: "no address", env: { PROM_URL: "10.0.0.1:9090", PROM_TOKEN: "t" }, code: "SECRET_MALFORMED" },
  { name: "of another protocol", env: { PROM_URL: "ftp://10.0.0.1", PROM_TOKEN: "t" }, code: "SECRET_MALFORMED" },
])("an address that is $name is refused before anything starts", ({ env, code }) => {
  const start = () => watchedSources(environmentOf(PROMETHEUS), new Secrets(env, "."), "/work");
  expect(start).toThrow(expect.objectContaining({ code }) as Error);
});
