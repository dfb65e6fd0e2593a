import { EXIT } from "../../errors/catalog.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { openEnvelope } from "../../rehearsal/certificate/envelope.ts";
import { certificateText } from "../../rehearsal/certificate/text.ts";
import { readCertificate } from "../files/certificate-files.ts";
import { examined } from "../run/clear.ts";
import { liveFacts } from "../facts/collect-facts.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { load } from "../files/load.ts";
import { stateDirOf } from "../run/state-dir.ts";
import { fileState } from "../wiring/state.ts";

type Options = {
  readonly env?: string;
  readonly releases?: string;
  readonly state?: string;
  readonly json?: boolean;
};

export async function certificate(
  io: CliIo,
  [action = "", file = "", plan]: readonly string[],
  options: Options,
): Promise<ExitStatus> {
  if (action === "show" && plan === undefined) return show(io, file, options);
  if (action === "verify" && plan !== undefined) return verify(io, file, plan, options);
  throw new UpgradeError("USAGE", `certificate cannot be called so`, {
    hint: "midflight certificate show FILE, or midflight certificate verify FILE PLAN --env ENVIRONMENT",
  });
}

/** What it says, whoever signed it. */
async function show(io: CliIo, file: string, options: Options): Promise<ExitStatus> {
  const { name, bytes } = await readCertificate(io, file);
  const opened = openEnvelope(bytes, name);
  const { statement, keyId, sha256 } = opened;
  io.print(
    options.json === true
      ? JSON.stringify({ kind: "certificate", sha256, keyId, ...statement.predicate })
      : certificateText(opened),
  );
  if (options.json !== true)
    io.say("\nWhether to believe it is another question: midflight certificate verify FILE PLAN --env ENVIRONMENT");
  return EXIT.done;
}

/** Whether it would clear an upgrade by this plan now. */
async function verify(io: CliIo, file: string, plan: string, options: Options): Promise<ExitStatus> {
  if (options.env === undefined)
    throw new UpgradeError("USAGE", "which environment it should clear is not said", {
      hint: "name it: --env NAME, whose file lies beside the plan, or --env FILE",
    });
  const loaded = await load(io, plan, options);
  const state = fileState(stateDirOf(io, loaded.environment, options.state));
  const about = { kind: "certificate-verdict", plan: loaded.plan.name, environment: loaded.environment.name };
  try {
    const { certificate: proof, key } = await examined({
      io,
      loaded,
      state,
      permit: { kind: "certificate", file },
      facts: (one) => liveFacts(io, one, state.dir),
    });
    const { validUntil } = proof.statement.predicate;
    io.print(
      options.json === true
        ? JSON.stringify({ ...about, isCleared: true, sha256: proof.sha256, key: key.name, keyId: key.id, validUntil })
        : `${file} clears ${about.plan} for ${about.environment} until ${validUntil}; signed with key ${key.name}`,
    );
    return EXIT.done;
  } catch (error) {
    if (options.json === true && error instanceof UpgradeError)
      io.print(JSON.stringify({ ...about, isCleared: false, code: error.code, message: error.message }));
    throw error;
  }
}
