import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fenceClaims } from "../../../../src/adapters/process/fence-claims.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "midflight-fence-"));
});
afterEach(() => rm(dir, { recursive: true }));

test("only the latest may go on, also after a restart, and only its name is kept", async () => {
  const claims = fenceClaims(dir, "gateway", "tokyo");
  await claims.claim({ epoch: 9, seq: 5 });
  await claims.claim({ epoch: 10, seq: 1 });
  await expect(claims.claim({ epoch: 9, seq: 99 })).rejects.toMatchObject({
    code: "FENCED",
    message: expect.stringContaining("9.99"),
  });
  await expect(fenceClaims(dir, "gateway", "tokyo").check({ epoch: 10, seq: 0 })).rejects.toMatchObject({
    code: "FENCED",
    message: expect.stringContaining("10.1"),
  });
  await claims.claim({ epoch: 10, seq: 1 });
  await claims.claim({ epoch: 10, seq: 2 });
  expect(await claims.highest()).toEqual({ epoch: 10, seq: 2 });
  expect(await readdir(join(dir, "fences", "gateway", "tokyo"))).toHaveLength(1);
});

test("of many at once exactly one is not refused afterwards, and it is the latest", async () => {
  const claims = fenceClaims(dir, "gateway", "tokyo");
  const fences = Array.from({ length: 20 }, (_, index) => ({ epoch: 1, seq: (index * 7) % 20 }));
  await Promise.allSettled(fences.map((fence) => claims.claim(fence)));
  const checks = await Promise.allSettled(fences.map((fence) => claims.check(fence)));
  expect(fences.filter((_, index) => checks[index]?.status === "fulfilled")).toEqual([{ epoch: 1, seq: 19 }]);
});

test("another region has its own", async () => {
  await fenceClaims(dir, "gateway", "tokyo").claim({ epoch: 5, seq: 5 });
  await fenceClaims(dir, "gateway", "frankfurt").claim({ epoch: 1, seq: 1 });
  expect(await fenceClaims(dir, "gateway", "frankfurt").highest()).toEqual({ epoch: 1, seq: 1 });
});
