import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { fileRunStore } from "../../src/adapters/file/run-store.ts";
import type { RunStore } from "../../src/ports/journal.ts";
import { fakeRunStore } from "../fakes/journal.ts";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

const makers: readonly { readonly name: string; readonly make: () => Promise<RunStore> }[] = [
  { name: "in memory", make: async () => fakeRunStore() },
  {
    name: "in files",
    make: async () => {
      const dir = await mkdtemp(join(tmpdir(), "midflight-store-"));
      folders.push(dir);
      let now = 1_000;
      return fileRunStore({ dir, clock: { now: () => (now += 1) } });
    },
  },
];

describe.each(makers)("runs kept $name", ({ make }) => {
  test("what was appended is read again, numbered from 1, in order", async () => {
    const store = await make();
    const journal = await store.create("r1");
    const first = await journal.append({ at: 5, fact: { kind: "opened" }, effects: [] });
    await journal.append({ at: 6, fact: { kind: "line\nfeed", text: "größer, \u0000 and 🚀" } });
    expect(first).toEqual({ seq: 1, at: 5, fact: { kind: "opened" }, effects: [] });
    expect(journal.records.map(({ seq }) => seq)).toEqual([1, 2]);
    expect(await store.read("r1")).toEqual(journal.records);
    await journal.close();
    const again = await store.open("r1");
    expect(again.records).toEqual(journal.records);
    expect((await again.append({ at: 7 })).seq).toBe(3);
    await again.close();
    expect((await store.read("r1")).map(({ at }) => at)).toEqual([5, 6, 7]);
  });

  test("a run that was created and got no record is empty, and can be opened", async () => {
    const store = await make();
    await (await store.create("r1")).close();
    expect(await store.read("r1")).toEqual([]);
    const journal = await store.open("r1");
    expect((await journal.append({})).seq).toBe(1);
    await journal.close();
  });

  test("records handed in together are kept in the order of the calls", async () => {
    const store = await make();
    const journal = await store.create("r1");
    const written = await Promise.all(Array.from({ length: 20 }, (_, index) => journal.append({ index })));
    expect(written).toEqual(Array.from({ length: 20 }, (_, index) => ({ seq: index + 1, index })));
    await journal.close();
    expect(await store.read("r1")).toEqual(written);
  });

  test("a record is what a reader of the disk would get, not what was passed in", async () => {
    const store = await make();
    const journal = await store.create("r1");
    const body = { kept: 1, dropped: undefined, none: Number.NaN, "7": "numeric key", nested: { list: [1] } };
    const record = await journal.append(body);
    body.nested.list.push(2);
    expect(record).toEqual({ seq: 1, kept: 1, none: null, "7": "numeric key", nested: { list: [1] } });
    expect("dropped" in record).toBe(false);
    await journal.close();
    expect(await store.read("r1")).toEqual([record]);
  });

  test.each(["seq", "format", "hash"])("the journal's own key %s is refused in a fact", async (key) => {
    const journal = await (await make()).create("r1");
    await expect(journal.append({ [key]: 1 })).rejects.toThrow(`the journal writes "${key}" itself`);
    expect((await journal.append({ fine: true })).seq).toBe(1);
    await journal.close();
  });

  test("nothing is appended after close", async () => {
    const store = await make();
    const journal = await store.create("r1");
    const before = journal.append({ at: 1 });
    await journal.close();
    await expect(before).resolves.toEqual({ seq: 1, at: 1 });
    await expect(journal.append({ at: 2 })).rejects.toThrow("closed");
    expect(await store.read("r1")).toHaveLength(1);
  });

  test("a run's name is used once", async () => {
    const store = await make();
    const journal = await store.create("r1");
    await journal.append({ at: 1 });
    await expect(store.create("r1")).rejects.toMatchObject({ code: "RUN_EXISTS" });
    await journal.close();
    expect(await store.read("r1")).toHaveLength(1);
  });

  test("a run that is not there is said to be not there", async () => {
    const store = await make();
    const none = { code: "RUN_NOT_FOUND_HERE" };
    await expect(store.open("r9")).rejects.toMatchObject(none);
    await expect(store.read("r9")).rejects.toMatchObject(none);
    await expect(store.putFile("r9", "plan.yaml", "x")).rejects.toMatchObject(none);
    await expect(store.getFile("r9", "plan.yaml")).rejects.toMatchObject(none);
    await expect(store.remove("r9")).rejects.toMatchObject(none);
    await expect(store.read("../r9")).rejects.toMatchObject(none);
  });

  test("runs are listed newest first, and a removed one is gone", async () => {
    const store = await make();
    expect(await store.list()).toEqual([]);
    for (const run of ["b-first", "c-second", "a-third"]) await (await store.create(run)).close();
    expect(await store.list()).toEqual(["a-third", "c-second", "b-first"]);
    await store.remove("c-second");
    expect(await store.list()).toEqual(["a-third", "b-first"]);
    await expect(store.read("c-second")).rejects.toMatchObject({ code: "RUN_NOT_FOUND_HERE" });
  });

  test("files beside the journal are replaced whole, and are no runs", async () => {
    const store = await make();
    const journal = await store.create("r1");
    expect(await store.getFile("r1", "before.json")).toBeUndefined();
    expect(await store.putFile("r1", "before.json", "one")).toBe(store.pathOf("r1", "before.json"));
    await store.putFile("r1", "before.json", "two");
    await store.putFile("r1", "migrations/orders/0001_bands.up.sql", "select 1;");
    expect(await store.getFile("r1", "before.json")).toBe("two");
    expect(await store.getFile("r1", "migrations/orders/0001_bands.up.sql")).toBe("select 1;");
    expect(await store.list()).toEqual(["r1"]);
    await journal.append({ at: 1 });
    await journal.close();
  });
});
