import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { paymentEnvironment, startPaymentServer, type PaymentServer } from "../fakes/payment-server.ts";
import { midflight, type Ended } from "../support/cli.ts";

const TOKEN = "s3cret-payment-token";
let server: PaymentServer;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "midflight-payments-"));
  server = await startPaymentServer({
    token: TOKEN,
    instances: Array.from({ length: 12 }, (_, index) => ({ id: `pay-${index}`, release: "pay@1.0" })),
  });
  const text = paymentEnvironment(server.url).replace(/^components:[^]*$/m, "components: {}\n");
  writeFileSync(join(folder, "payments.yaml"), text);
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const watch = (...args: readonly string[]): Promise<Ended> =>
  midflight(["guard", "--env", "payments.yaml", "--for", "6s", ...args], {
    cwd: folder,
    env: {
      PAYMENTS_TOKEN: TOKEN,
      PAYMENTS_COHORTS: '[{"cohort":"eu","merchant":"m1"},{"cohort":"us","merchant":"m2"}]',
    },
    limitMs: 60_000,
  });

test("the guard alone watches a payment system by its own operations, tells a code that no rule names once, and never its key", async () => {
  server.fault("odd-code", ["pay-1"]);
  const { status, stdout, stderr } = await watch();
  expect(stdout).toMatch(/ healthy /);
  expect(stdout).toMatch(/pay +tokyo .* probes +0 of +[1-9]/);
  expect(stdout).toMatch(/refund +tokyo .* probes +0 of +[1-9]/);
  expect(stdout).toMatch(
    /7777 stands in no rule of payments, taken for business: 0 times in counters, [1-9]\d* by probes/,
  );
  expect(stderr.match(/7777 stands in no rule/g)).toHaveLength(1);
  expect(status).toBe(0);
  expect(server.open()).toBe(0);
  server.fault("echo", ["pay-1"]);
  const failing = await watch("--json");
  expect(failing.stdout).toContain("(redacted)");
  for (const text of [stdout, stderr, failing.stdout, failing.stderr]) expect(text).not.toContain(TOKEN);
}, 60_000);

test("the settings of a plan that watches what nobody tries are refused", async () => {
  writeFileSync(join(folder, "orders.yaml"), "midflight: 1\nplan: orders\ncomponents: {}\nsteps: [{ soak: 1s }]\n");
  const { status, stderr } = await watch("--plan", "orders.yaml");
  expect([status, stderr]).toEqual([
    3,
    expect.stringMatching(/OPERATION_UNPROBED.*no probe of tokyo tries the operation "order"[^]*pay, refund/) as string,
  ]);
});
