import { expect, test } from "vitest";
import type { Loaded } from "../../../src/cli/files/load.ts";
import { rolesOf } from "../../../src/cli/wiring/trials.ts";
import { Secrets } from "../../../src/cli/wiring/secrets.ts";

const STORE = "postgres://owner:a@db:5432/orders";
const APPLICATION = "postgres://gateway:b@db:5432/orders";

/** Components that come to the store `orders-db`; the address of the application stands in a variable. */
const rolesIn = (gateway: object, application = APPLICATION) => {
  const components = { "orders-db": { driver: "postgres", url: STORE }, gateway };
  return rolesOf(
    { environment: { components } } as unknown as Loaded,
    "orders-db",
    new Secrets({ GATEWAY_DB_URL: application }, "/"),
  );
};
const BY_VARIABLE = { env: "GATEWAY_DB_URL" };

test.each([
  {
    name: "processes by the variable that leads to it",
    gateway: { driver: "process", env: { OTHER: "postgres://db:5432/prices", METADATA_URL: BY_VARIABLE } },
  },
  { name: "pods by what is stated", gateway: { driver: "kubernetes", stores: { "orders-db": BY_VARIABLE } } },
])("$name", ({ gateway }) => {
  expect(rolesIn(gateway)).toEqual({ gateway: APPLICATION });
});

test.each([
  { name: "processes that do not come to it", gateway: { driver: "process", env: { PORT: "80" } } },
  { name: "pods of which nothing is stated", gateway: { driver: "kubernetes", stores: {} } },
  { name: "programs", gateway: { driver: "command" } },
])("$name have none", ({ gateway }) => {
  expect(rolesIn(gateway)).toEqual({});
});

test("what is stated and leads elsewhere is refused, and says what may differ", () => {
  expect(() =>
    rolesIn({ driver: "kubernetes", stores: { "orders-db": BY_VARIABLE } }, "postgres://gateway:b@db:5432/prices"),
  ).toThrow(
    expect.objectContaining({ code: "TRIAL_REFUSED", hint: expect.stringContaining("only the user") as string }),
  );
});
