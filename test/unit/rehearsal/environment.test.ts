import { expect, test } from "vitest";
import { withoutProduction } from "../../../src/cli/rehearsal/env.ts";
import type { Environment } from "../../../src/plan/model.ts";

const environment = (name: string, url: string): Environment => ({
  midflight: 1,
  file: `${name}.yaml`,
  name,
  class: name === "production" ? "production" : "demo",
  regions: {},
  components: {
    "orders-db": { driver: "postgres", url: { env: url } },
    gateway: {
      driver: "process",
      balancer: {},
      instances: 1,
      env: { FAULT: { env: "FAULT" } },
      ready: "/",
      drain: "/",
      undrain: "/",
      drained: "/",
      readyDeadlineMs: 1,
      stopDeadlineMs: 1,
      isEntry: true,
    },
  },
  sources: [],
  notify: [],
  trusts: [],
  approval: { notBySigner: false },
  parity: { accept: [] },
  rules: {},
  state: ".midflight",
});

test("a rehearsal and its programs never see what only production's file reads", () => {
  const env = { ORDERS_DB_URL: "p", DEMO_ORDERS_DB_URL: "d", FAULT: "{}", PATH: "/bin" };
  expect(
    withoutProduction(env, environment("demo", "DEMO_ORDERS_DB_URL"), environment("production", "ORDERS_DB_URL")),
  ).toEqual({ DEMO_ORDERS_DB_URL: "d", FAULT: "{}", PATH: "/bin" });
});
