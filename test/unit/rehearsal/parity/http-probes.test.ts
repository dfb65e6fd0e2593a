import { expect, test } from "vitest";
import { parseEnvironment } from "../../../../src/plan/parse-environment.ts";
import { factsOfFile } from "../../../../src/rehearsal/parity/facts-of-file.ts";
import { paymentEnvironment } from "../../../fakes/payment-server.ts";
import { changed, located } from "../../plan/plans.ts";

const TEXT = paymentEnvironment("https://pay.example/api");
const factsOf = (text: string) => factsOfFile(located(parseEnvironment(text, "payments.yaml")).value);
const valueOf = (text: string, id: string) => factsOf(text).find((fact) => fact.id === id)?.value;

test("what a probe over HTTP tries, where, and by which rules are facts of an environment, and hold no secret", () => {
  expect(valueOf(TEXT, "regions/tokyo/probe")).toBe("http, pay, refund");
  expect(valueOf(TEXT, "regions/tokyo/probe/address")).toBe("pay.example");
  expect(valueOf(TEXT, "rules/payments")).toMatch(/^sha256:[0-9a-f]{16}$/);
  expect(JSON.stringify(factsOf(TEXT))).not.toMatch(/PAYMENTS_TOKEN|Bearer/);
});

test("other rules are another fact", () => {
  const other = changed(TEXT, [['"1402", "1404"', '"1402", "1404", "1409"']]);
  expect(valueOf(other, "rules/payments")).not.toBe(valueOf(TEXT, "rules/payments"));
});
