import { afterEach, describe, expect, test } from "vitest";
import type { RunStore } from "../../src/ports/journal.ts";

export type StorePlace = { readonly store: RunStore; close(): Promise<void> };

/** What every kind of run store promises. */
export function journalContract(name: string, open: () => Promise<StorePlace>): void {
  const places: StorePlace[] = [];
  afterEach(async () => {
    for (const place of places.splice(0)) await place.close();
  });
  const make = async (): Promise<RunStore> => {
    const place = await open();
    places.push(place);
    return place.store;
  };

  describe(`runs kept ${name}`, () => {
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

    test("whoever watches a file hears what it says and what it says next", async () => {
      const store = await make();
      const journal = await store.create("r1");
      const heard: (string | undefined)[] = [];
      const stop = new AbortController();
      store.watchFile("r1", "mailbox.json", (text) => heard.push(text), stop.signal);
      await expect.poll(() => heard, { timeout: 5_000 }).toEqual([undefined]);
      await store.putFile("r1", "mailbox.json", "one");
      await expect.poll(() => heard, { timeout: 5_000 }).toEqual([undefined, "one"]);
      await store.putFile("r1", "other.json", "no news here");
      await store.putFile("r1", "mailbox.json", "two");
      await expect.poll(() => heard, { timeout: 5_000 }).toEqual([undefined, "one", "two"]);
      stop.abort();
      await journal.close();
    });

    test("a run that is not there has no folder", async () => {
      await expect((await make()).folder("r9")).rejects.toMatchObject({ code: "RUN_NOT_FOUND_HERE" });
    });
  });
}
