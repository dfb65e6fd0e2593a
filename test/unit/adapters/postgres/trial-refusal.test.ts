import { describe, expect, test } from "vitest";
import { refusedCopy } from "../../../../src/adapters/postgres/trials/refusal.ts";
import { strategyFor } from "../../../../src/adapters/postgres/trials/template.ts";
import { targetOf } from "../../../../src/adapters/postgres/target.ts";

const store = targetOf("postgres://owner:s3cr3t-word@127.0.0.1:5432/orders");
const said = (code: string, message: string): Error => Object.assign(new Error(message), { code });

describe("a copy that cannot be made is refused with the reason and an order", () => {
  test.each([
    {
      cause: said("53100", "could not extend file: No space left on device"),
      says: "no space for a copy",
      hint: /space/,
    },
    { cause: said("58030", "could not write: Input/output error"), says: "no space for a copy", hint: /space/ },
    { cause: said("42501", "permission denied to create database"), says: "permission denied", hint: /createdb/ },
    { cause: said("25006", "cannot execute CREATE DATABASE during recovery"), says: "standby", hint: /no standby/ },
    {
      cause: said("22023", "new encoding is incompatible"),
      says: "new encoding is incompatible (22023)",
      hint: /mend/,
    },
  ])("$cause.code", ({ cause, says, hint }) => {
    const refused = refusedCopy(store, cause, []);
    expect(refused).toMatchObject({ code: "TRIAL_REFUSED", hint: expect.stringMatching(hint) });
    expect(refused.message).toContain("127.0.0.1:5432/orders");
    expect(refused.message).toContain(says);
  });

  test("whoever is in the way is named, and no password is", () => {
    const { message } = refusedCopy(store, said("55006", "s3cr3t-word is being accessed"), [
      "pid 7 (desk)",
      "pid 8 (x)",
    ]);
    expect(message).toContain("in use by pid 7 (desk); pid 8 (x)");
    expect(refusedCopy(store, said("22023", "with s3cr3t-word"), []).message).not.toContain("s3cr3t-word");
  });
});

test.each([
  { version: 180_000, isSynced: false, bytes: 1e6, strategy: "file_copy" },
  { version: 180_000, isSynced: true, bytes: 1e6, strategy: "wal_log" },
  { version: 180_000, isSynced: true, bytes: 1e9, strategy: "file_copy" },
  { version: 140_000, isSynced: true, bytes: 1e9, strategy: "none" },
])("$bytes bytes, fsync $isSynced, version $version: $strategy", ({ strategy, ...server }) => {
  expect(strategyFor(server)).toBe(strategy);
});
