import { execFile } from "node:child_process";
import { z } from "zod";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Opinion, OpinionFile, SecondOpinion } from "../../ports/second-opinion.ts";

/** It needs 4 ms a file; a program that takes much longer is another one. */
const DEADLINE_MS = 60_000;
const MOST_BYTES = 64_000_000;
/** A command line holds only so much. */
const FILES_AT_ONCE = 200;

/** Squawk as a program. It ends with 1 when it found something, and calls everything a warning. */
export const squawk = (binary: string): SecondOpinion => ({
  async lint(files, signal) {
    const opinions: Opinion[] = [];
    for (let from = 0; from < files.length; from += FILES_AT_ONCE)
      opinions.push(...(await ask(binary, files.slice(from, from + FILES_AT_ONCE), signal)));
    return opinions;
  },
});

async function ask(binary: string, files: readonly OpinionFile[], signal: AbortSignal): Promise<readonly Opinion[]> {
  signal.throwIfAborted();
  const printed = await run(binary, ["--reporter=json", "--", ...files.map(({ path }) => path)], signal);
  const byPath = new Map(files.map((file) => [file.path, file]));
  return findingsIn(binary, printed).flatMap((finding) => {
    const file = byPath.get(finding.file);
    if (file === undefined) return [];
    return [
      {
        file: file.file,
        rule: finding.rule_name,
        line: finding.line + 1,
        column: columnOf(file.text, finding.line, finding.column),
        message: finding.message,
        ...(typeof finding.help === "string" ? { help: finding.help } : {}),
      },
    ];
  });
}

// Keys that a later version adds are no reason to fail.
const FINDINGS = z.array(
  z.object({
    file: z.string(),
    /** From 0; the column counts bytes. */
    line: z.int().nonnegative(),
    column: z.int().nonnegative(),
    message: z.string(),
    help: z.string().nullish(),
    rule_name: z.string().regex(/^[a-z0-9-]{1,80}$/),
  }),
);

function findingsIn(binary: string, printed: string): z.infer<typeof FINDINGS> {
  // No findings are an empty list, and by some versions nothing at all.
  if (printed.trim() === "") return [];
  let json: unknown;
  try {
    json = JSON.parse(printed);
  } catch (cause) {
    throw failed(binary, "what it printed is no JSON", cause);
  }
  const parsed = FINDINGS.safeParse(json);
  if (!parsed.success) throw failed(binary, "its JSON is not what squawk prints", parsed.error);
  return parsed.data;
}

const columnOf = (text: string, line: number, bytes: number): number =>
  Array.from(
    Buffer.from(text.split("\n")[line] ?? "")
      .subarray(0, bytes)
      .toString("utf8"),
  ).length + 1;

function run(binary: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      binary,
      args,
      { signal, timeout: DEADLINE_MS, maxBuffer: MOST_BYTES, killSignal: "SIGKILL" },
      (error, stdout, stderr) => {
        if (error === null || error.code === 1) resolve(stdout);
        else if (signal.aborted) reject(signal.reason);
        else reject(failed(binary, reasonOf(error, stderr), error));
      },
    );
  });
}

function reasonOf(error: { readonly code?: unknown; readonly killed?: boolean }, stderr: string): string {
  if (error.killed === true) return `it did not end within ${DEADLINE_MS / 1_000} s`;
  const said = stderr.trim().split("\n")[0] ?? "";
  return `it ended with ${String(error.code)}${said === "" ? "" : `: ${said.slice(0, 200)}`}`;
}

const failed = (binary: string, what: string, cause: unknown): UpgradeError =>
  new UpgradeError("LINTER_FAILED", `${binary} gave no second opinion: ${what}`, {
    hint: "mend it, or set SQUAWK= (to nothing) to check without it",
    cause,
  });
