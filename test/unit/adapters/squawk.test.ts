import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { squawk } from "../../../src/adapters/squawk/squawk.ts";
import { scratch } from "../../support/scratch.ts";

const folder = scratch();
const never = new AbortController().signal;

/** Stands in for squawk 2.66: prints what it is told to, and ends as it is told to. */
function fake(printed: string, status: number, more = ""): string {
  const file = join(folder(), "squawk");
  writeFileSync(`${file}.out`, printed);
  writeFileSync(file, `#!/bin/sh\n${more}\ncat '${file}.out'\nexit ${status}\n`);
  chmodSync(file, 0o755);
  return file;
}

// Squawk counts lines from 0 and columns in bytes.
const finding = (file: string) => ({
  file,
  line: 1,
  column: 6,
  level: "Warning",
  message: "Dropping a column may break existing clients.",
  help: null,
  rule_name: "ban-drop-column",
  column_end: 9,
  line_end: 1,
});
const file = { file: "m/a.up.sql", path: "/tmp/a.up.sql", text: "select 1;\n/*ü*/ x" };

test("findings come with places from 1, in characters, under the name that the user knows", async () => {
  const binary = fake(JSON.stringify([finding("/tmp/a.up.sql"), finding("/tmp/other.sql")]), 1);
  expect(await squawk(binary).lint([file], never)).toEqual([
    {
      file: "m/a.up.sql",
      rule: "ban-drop-column",
      line: 2,
      column: 6,
      message: "Dropping a column may break existing clients.",
    },
  ]);
});

test("nothing found is no failure", async () => {
  expect(await squawk(fake("[]", 0)).lint([file], never)).toEqual([]);
  expect(await squawk(fake("", 0)).lint([file], never)).toEqual([]);
});

test.each([
  { name: "no JSON", printed: "oh", status: 0, says: /no JSON/ },
  { name: "another JSON", printed: '{"a":1}', status: 1, says: /not what squawk prints/ },
  { name: "another exit status", printed: "", status: 2, says: /ended with 2: no such option/ },
])("$name is said to be a failure, with what to do", async ({ printed, status, says }) => {
  const failing = squawk(fake(printed, status, "echo 'no such option' >&2")).lint([file], never);
  await expect(failing).rejects.toMatchObject({ code: "LINTER_FAILED", message: expect.stringMatching(says) });
});

test("one that does not end is ended with the caller", async () => {
  const stop = new AbortController();
  const failing = squawk(fake("[]", 0, "exec sleep 60")).lint([file], stop.signal);
  stop.abort(new Error("enough"));
  await expect(failing).rejects.toThrow("enough");
});
