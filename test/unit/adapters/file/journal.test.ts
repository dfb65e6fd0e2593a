import { expect, test } from "vitest";
import { journalOn } from "../../../../src/adapters/file/journal.ts";
import { EMPTY } from "../../../../src/adapters/file/line.ts";
import type { JournalDisk } from "../../../../src/ports/journal-form.ts";

/** A disk that says what it did, and fails where it is told to. */
const toldDisk = (failAt?: { readonly step: "append" | "anchor"; readonly nth: number; readonly code: string }) => {
  const done: string[] = [];
  const act = (step: "append" | "anchor", what: string): Promise<void> => {
    done.push(`${step} ${what}`);
    const nth = done.filter((each) => each.startsWith(step)).length;
    return failAt?.step === step && failAt.nth === nth
      ? Promise.reject(Object.assign(new Error(failAt.code), { code: failAt.code }))
      : new Promise((resolve) => setImmediate(resolve));
  };
  const disk: JournalDisk = {
    path: "/state/journal.ndjson",
    append: (line) => act("append", String(JSON.parse(line.toString()).seq)),
    anchor: (head) => act("anchor", String(head.seq)),
    close: async () => void done.push("close"),
  };
  return { disk, done };
};

test("a record is acknowledged only when line and anchor are durable, one after another", async () => {
  const { disk, done } = toldDisk();
  const journal = journalOn(disk, { records: [], head: EMPTY });
  const acknowledged = [1, 2, 3].map((index) =>
    journal.append({ index }).then(({ seq }) => done.push(`acknowledged ${seq}`)),
  );
  await Promise.all(acknowledged);
  await journal.close();
  expect(done).toEqual(
    [1, 2, 3].flatMap((seq) => [`append ${seq}`, `anchor ${seq}`, `acknowledged ${seq}`]).concat("close"),
  );
});

test.each([
  {
    name: "a write or sync of the line failed",
    step: "append" as const,
    touched: ["append 1", "anchor 1", "append 2"],
  },
  {
    name: "a write or sync of the anchor failed",
    step: "anchor" as const,
    touched: ["append 1", "anchor 1", "append 2", "anchor 2"],
  },
])("after $name the journal rejects for ever and touches the disk no more", async ({ step, touched }) => {
  const { disk, done } = toldDisk({ step, nth: 2, code: "EIO" });
  const journal = journalOn(disk, { records: [], head: EMPTY });
  await journal.append({ index: 1 });
  const [second, third] = await Promise.allSettled([journal.append({ index: 2 }), journal.append({ index: 3 })]);
  for (const each of [second, third])
    expect(each).toMatchObject({
      status: "rejected",
      reason: { code: "JOURNAL_WRITE_FAILED", message: expect.stringContaining("line 2 of /state/journal.ndjson") },
    });
  await expect(journal.append({ index: 4 })).rejects.toMatchObject({ code: "JOURNAL_WRITE_FAILED" });
  expect(done).toEqual(touched);
  expect(journal.records.map(({ seq }) => seq)).toEqual([1]);
});

test("a full disk is named in words, with what to do", async () => {
  const journal = journalOn(toldDisk({ step: "append", nth: 1, code: "ENOSPC" }).disk, { records: [], head: EMPTY });
  await expect(journal.append({})).rejects.toMatchObject({
    message: "line 1 of /state/journal.ndjson could not be made durable: the disk is full (ENOSPC)",
    hint: "make room on that disk, then `midflight resume`",
  });
});
