import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Migration } from "../../src/plan/model.ts";
import type { Metadata } from "../../src/ports/metadata.ts";

/** One empty store. */
export type MetadataHarness = {
  /** The port, for one conductor more. */
  open(): Metadata;
  /** What `0001_notes` made is damaged, so that its verify file does not pass any more. */
  damageNotes(): Promise<void>;
  close(): Promise<void>;
};

const NOTES: Migration = {
  name: "0001_notes",
  phase: "expand",
  transactional: true,
  up: "create table notes (id int primary key, body text not null);\ninsert into notes values (1, 'first');",
  verify: "select 1 / count(*) from notes where body is not null;",
  down: "drop table notes;",
};
const TAGS: Migration = {
  name: "0002_tags",
  phase: "expand",
  transactional: true,
  up: "alter table notes add column tag text not null default 'none';",
  verify: "select tag from notes limit 1;",
  down: "alter table notes drop column tag;",
};
const PEOPLE: Migration = {
  name: "0003_people",
  phase: "expand",
  transactional: true,
  up: "create table people (id int);",
  verify: "select id from people;",
  down: "drop table people;",
};
const ALL = [NOTES, TAGS, PEOPLE];
const NAMES = ALL.map((one) => one.name);
const never = new AbortController().signal;
const fence = { epoch: 1, seq: 1 };

const up = (metadata: Metadata, names: readonly string[] = NAMES, migrations: readonly Migration[] = ALL, by = fence) =>
  metadata.migrate({ direction: "up", names, migrations }, by, never);
const down = (
  metadata: Metadata,
  names: readonly string[] = NAMES,
  migrations: readonly Migration[] = ALL,
  by = fence,
) => metadata.migrate({ direction: "down", names, migrations }, by, never);
const appliedIn = async (metadata: Metadata, migrations: readonly Migration[] = ALL) =>
  (await metadata.observe(migrations, never)).applied.map((one) => one.name);
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** What every metadata store promises. */
export const metadataContract = (name: string, make: () => Promise<MetadataHarness>): void => {
  describe(`metadata ${name}`, () => {
    let harness: MetadataHarness;
    let metadata: Metadata;
    beforeEach(async () => {
      harness = await make();
      metadata = harness.open();
    });
    afterEach(() => harness.close());

    test("to look changes nothing", async () => {
      const first = await metadata.observe(ALL, never);
      expect(first.applied).toEqual([]);
      expect(first.fingerprint).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(await metadata.observe(ALL, never)).toEqual(first);
    });

    test("what is ordered is applied in the order of the folder, and reported", async () => {
      const before = await metadata.observe(ALL, never);
      const { state, reports } = await up(metadata, ["0002_tags", "0001_notes"]);
      expect(state.applied.map((one) => one.name)).toEqual(["0001_notes", "0002_tags"]);
      expect(reports.map((one) => [one.name, one.direction, one.lockRetries])).toEqual([
        ["0001_notes", "up", 0],
        ["0002_tags", "up", 0],
      ]);
      expect(state.fingerprint).not.toBe(before.fingerprint);
      expect(await metadata.observe(ALL, never)).toEqual(state);
    });

    test("an order that was carried out already changes nothing", async () => {
      const { state } = await up(metadata);
      const again = await up(harness.open());
      expect(again.reports).toEqual([]);
      expect(again.state).toEqual(state);
    });

    test("the way back goes in reverse, and leaves the store as it was found", async () => {
      const before = await metadata.observe(ALL, never);
      await up(metadata);
      const { state, reports } = await down(metadata);
      expect(reports.map((one) => [one.name, one.direction])).toEqual([
        ["0003_people", "down"],
        ["0002_tags", "down"],
        ["0001_notes", "down"],
      ]);
      expect(state).toEqual(before);
      expect((await down(metadata)).reports).toEqual([]);
    });

    test("only what is named is taken back", async () => {
      await up(metadata);
      await down(metadata, ["0003_people", "0002_tags"]);
      expect(await appliedIn(metadata)).toEqual(["0001_notes"]);
      const { reports } = await up(metadata);
      expect(reports.map((one) => one.name)).toEqual(["0002_tags", "0003_people"]);
    });

    test.each([
      { what: "statement", broken: { ...TAGS, up: `${TAGS.up}\nselect 1 / 0;` } },
      { what: "verification", broken: { ...TAGS, verify: "select 1 / 0;" } },
    ])("a $what that fails leaves nothing of its migration, and what came before stays", async ({ broken }) => {
      await up(metadata, ["0001_notes"]);
      const before = await metadata.observe(ALL, never);
      const migrations = [NOTES, broken, PEOPLE];
      await expect(up(metadata, NAMES, migrations)).rejects.toMatchObject({ code: "MIGRATION_FAILED" });
      expect(await metadata.observe(migrations, never)).toEqual(before);
      expect((await up(metadata)).reports.map((one) => one.name)).toEqual(["0002_tags", "0003_people"]);
    });

    test("a way back that fails leaves the migration applied", async () => {
      const migrations = [{ ...NOTES, down: `${NOTES.down}\nselect 1 / 0;` }];
      const { state } = await up(metadata, ["0001_notes"], migrations);
      await expect(down(metadata, ["0001_notes"], migrations)).rejects.toMatchObject({ code: "MIGRATION_FAILED" });
      expect(await metadata.observe(migrations, never)).toEqual(state);
    });

    test("a conductor that was replaced is refused, even when it asks for nothing new", async () => {
      await up(metadata, ["0001_notes"], ALL, { epoch: 2, seq: 7 });
      for (const old of [
        { epoch: 2, seq: 6 },
        { epoch: 1, seq: 900 },
      ]) {
        await expect(up(harness.open(), NAMES, ALL, old)).rejects.toMatchObject({ code: "FENCED" });
        await expect(up(harness.open(), ["0001_notes"], ALL, old)).rejects.toMatchObject({ code: "FENCED" });
        await expect(down(harness.open(), NAMES, ALL, old)).rejects.toMatchObject({ code: "FENCED" });
      }
      expect(await appliedIn(metadata)).toEqual(["0001_notes"]);
      await up(metadata, ["0002_tags"], ALL, { epoch: 2, seq: 7 });
      await down(metadata, ["0002_tags"], ALL, { epoch: 3, seq: 0 });
      expect(await appliedIn(metadata)).toEqual(["0001_notes"]);
    });

    test.each(["up", "verify", "down"] as const)(
      "an applied %s file that was edited is refused, with its name and both checksums",
      async (part) => {
        await up(metadata, ["0001_notes"]);
        const edited = { ...NOTES, [part]: `${NOTES[part]}\n` };
        const refused = {
          code: "HISTORY_REWRITTEN",
          message: expect.stringMatching(
            new RegExp(`0001_notes\\.${part}\\.sql.*${sha256(NOTES[part])}.*${sha256(edited[part])}`),
          ),
        };
        await expect(metadata.observe([edited, TAGS], never)).rejects.toMatchObject(refused);
        await expect(up(metadata, ["0002_tags"], [edited, TAGS])).rejects.toMatchObject(refused);
        expect(await appliedIn(metadata)).toEqual(["0001_notes"]);
      },
    );

    test("an applied file that was removed is refused", async () => {
      await up(metadata, ["0001_notes"]);
      await expect(metadata.observe([TAGS], never)).rejects.toMatchObject({
        code: "HISTORY_REWRITTEN",
        message: expect.stringContaining("0001_notes"),
      });
      await expect(up(metadata, ["0002_tags"], [TAGS])).rejects.toMatchObject({ code: "HISTORY_REWRITTEN" });
    });

    test("a new file that is numbered before applied ones is refused", async () => {
      await up(metadata, ["0001_notes", "0003_people"], [NOTES, PEOPLE]);
      await expect(up(metadata)).rejects.toMatchObject({
        code: "HISTORY_REWRITTEN",
        message: expect.stringContaining("0002_tags"),
      });
      expect(await appliedIn(metadata)).toEqual(["0001_notes", "0003_people"]);
    });

    test("a contract may wait behind later expands", async () => {
      const late = [NOTES, { ...TAGS, phase: "contract" as const }, PEOPLE];
      await up(metadata, ["0001_notes", "0003_people"], late);
      const { state } = await up(metadata, ["0002_tags"], late);
      expect(state.applied.map((one) => one.name)).toEqual(["0001_notes", "0003_people", "0002_tags"]);
    });

    test("a way back is not held up by what others did to other files", async () => {
      await up(metadata, ["0001_notes", "0003_people"], [NOTES, PEOPLE]);
      await down(metadata, ["0003_people"], [{ ...NOTES, up: "select 2;" }, PEOPLE]);
      expect(await appliedIn(metadata)).toEqual(["0001_notes"]);
    });

    test("verification asks the applied ones only, and says which did not pass", async () => {
      await up(metadata, ["0001_notes"]);
      await metadata.verify(NAMES, ALL, never);
      await harness.damageNotes();
      await expect(metadata.verify(NAMES, ALL, never)).rejects.toMatchObject({
        code: "VERIFY_FAILED",
        message: expect.stringContaining("0001_notes.verify.sql"),
      });
      await metadata.verify(["0002_tags"], ALL, never);
    });

    test("an order that was withdrawn before it began does nothing", async () => {
      const reason = new Error("withdrawn");
      const signal = AbortSignal.abort(reason);
      await expect(metadata.migrate({ direction: "up", names: NAMES, migrations: ALL }, fence, signal)).rejects.toBe(
        reason,
      );
      await expect(metadata.observe(ALL, signal)).rejects.toBe(reason);
      await expect(metadata.verify(NAMES, ALL, signal)).rejects.toBe(reason);
      expect(await appliedIn(metadata)).toEqual([]);
    });

    test("two conductors that order the same at once apply it once", async () => {
      const both = await Promise.all([up(metadata), up(harness.open())]);
      expect(both.flatMap((one) => one.reports.map((report) => report.name)).toSorted()).toEqual(NAMES);
      expect(await appliedIn(metadata)).toEqual(NAMES);
    });
  });
};
