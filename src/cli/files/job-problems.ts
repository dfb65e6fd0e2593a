import type { Problem } from "../../errors/problem.ts";
import type { Located } from "../../plan/located.ts";
import type { Plan } from "../../plan/model.ts";
import { lineStartsOf, problemAt, problemInText, problemOfFile } from "../../plan/source/source.ts";
import { flawIn } from "../wiring/manifests.ts";
import { programName, type NamedProgram } from "./named-programs.ts";

/** What is wrong with the manifests of a plan's Jobs, each at its line. `files`: what was read of the files that the plan names, as seen from `cwd`. */
export async function jobProblems(
  { value, source }: Located<Plan>,
  cwd: string,
  files: readonly NamedProgram[],
): Promise<readonly Problem[]> {
  const jobs = value.steps.flatMap((step, index) =>
    step.kind === "run" && step.job !== undefined ? [{ job: step.job, index }] : [],
  );
  const found = await Promise.all(
    jobs.map(async ({ job, index }): Promise<readonly Problem[]> => {
      const { manifest: file } = job;
      const text = files.find(({ name }) => name === programName(cwd, file))?.text;
      if (text === undefined)
        return [
          problemAt(source, {
            code: "JOB_MANIFEST_WRONG",
            message: `${file} is no file in the folder where midflight was started or in that of the plan`,
            path: ["steps", index, "run", "job", "manifest"],
            hint: "put it into one of them: it is a part of the plan, and kept with the run",
          }),
        ];
      const flaw = await flawIn(job, text);
      if (flaw === undefined) return [];
      const complaint = { code: "JOB_MANIFEST_WRONG", message: flaw.why, hint: flaw.hint };
      return flaw.at === undefined
        ? [problemOfFile(file, complaint)]
        : [problemInText({ file, text, lineStarts: lineStartsOf(text) }, flaw.at.start, flaw.at.end, complaint)];
    }),
  );
  return found.flat();
}
