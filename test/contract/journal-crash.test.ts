import { expect, test } from "vitest";
import { fakeRunStore, type Moment } from "../fakes/journal.ts";

/** Appends five records and a file, as a conductor would; tells what it was told. */
async function conduct(store: ReturnType<typeof fakeRunStore>): Promise<readonly number[]> {
  const told: number[] = [];
  const journal = (await store.list()).includes("r1") ? await store.open("r1") : await store.create("r1");
  try {
    while (journal.records.length < 5) told.push((await journal.append({ at: journal.records.length })).seq);
    await store.putFile("r1", "before.json", "{}");
  } catch {
    return told;
  }
  return told;
}

test("a conductor killed at every moment finds exactly what was durable", async () => {
  const whole = fakeRunStore();
  await conduct(whole);
  expect(whole.moments).toBe(12);
  for (let moment = 1; moment <= whole.moments; moment += 1) {
    const store = fakeRunStore();
    store.crashAt(moment);
    const told = await conduct(store);
    const durable = store.durable("r1").length;
    // Killed before: as many as were acknowledged. Killed after: one more, of which nobody was told.
    expect(durable - told.length).toBe(moment <= 10 && moment % 2 === 0 ? 1 : 0);
    await conduct(store);
    expect(store.durable("r1").map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    expect(await store.getFile("r1", "before.json")).toBe("{}");
  }
});

test("whoever was killed writes no more, and the next one does", async () => {
  const store = fakeRunStore();
  const dead = await store.create("r1");
  await dead.append({ at: 1 });
  store.kill(new Error("SIGKILL"));
  const alive = await store.open("r1");
  await expect(dead.append({ at: 2 })).rejects.toThrow("SIGKILL");
  expect((await alive.append({ at: 3 })).seq).toBe(2);
  expect(store.durable("r1").map(({ at }) => at)).toEqual([1, 3]);
});

test("every moment is told in order, with what is about to become durable", async () => {
  const store = fakeRunStore();
  const moments: Moment[] = [];
  store.onMoment = (moment) => void moments.push(moment);
  const journal = await store.create("r1");
  await journal.append({ at: 7 });
  await store.putFile("r1", "before.json", "{}");
  expect(moments).toEqual([
    { kind: "append", when: "before", run: "r1", seq: 1, body: { at: 7 } },
    { kind: "append", when: "after", run: "r1", seq: 1, body: { at: 7 } },
    { kind: "file", when: "before", run: "r1", name: "before.json" },
    { kind: "file", when: "after", run: "r1", name: "before.json" },
  ]);
});

test("a full disk stops a journal for ever, and another life goes on", async () => {
  const store = fakeRunStore();
  const journal = await store.create("r1");
  store.fillDisk();
  await expect(journal.append({ at: 1 })).rejects.toMatchObject({ code: "JOURNAL_WRITE_FAILED" });
  await expect(journal.append({ at: 2 })).rejects.toMatchObject({ code: "JOURNAL_WRITE_FAILED" });
  expect((await (await store.open("r1")).append({ at: 3 })).seq).toBe(1);
});
