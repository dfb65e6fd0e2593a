import { UpgradeError } from "../../../errors/upgrade-error.ts";

const DISK_FULL = /No space left on device|ENOSPC|Disk quota exceeded|EDQUOT/;
const PORT_TAKEN = /could not bind .*: Address already in use|could not create any TCP\/IP sockets/;

/** Turns whatever stopped PostgreSQL into one sentence. `output` is what its programs printed. */
export const explain = (
  step: string,
  output: string,
  where: { readonly port: number; readonly dir: string },
  cause?: unknown,
): UpgradeError => {
  const because = cause === undefined ? {} : { cause };
  if (cause instanceof UpgradeError) return cause;
  const reason = cause instanceof Error ? cause.message : "";
  const text = `${output}\n${reason}`;
  if (DISK_FULL.test(text)) {
    return new UpgradeError("POSTGRES_DISK_FULL", `PostgreSQL could not ${step}: the disk of ${where.dir} is full`, {
      hint: "free about 200 MB there, or set TMPDIR to another disk",
      ...because,
    });
  }
  if (PORT_TAKEN.test(text)) {
    return new UpgradeError(
      "PORT_TAKEN",
      `PostgreSQL could not listen on 127.0.0.1:${where.port}: another program does`,
      { hint: "stop that program, or choose another port", ...because },
    );
  }
  const said = lastWords(output) || reason || "it said nothing";
  return new UpgradeError("POSTGRES_NOT_STARTED", `PostgreSQL could not ${step} in ${where.dir}: ${said}`, {
    hint: "mend what the message names, then start again",
    ...because,
  });
};

// The reason stands in the last line that names an error; what follows is advice.
const lastWords = (output: string): string => {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  return (lines.findLast((line) => /error|fatal|panic|denied/i.test(line)) ?? lines.at(-1) ?? "").trim();
};
