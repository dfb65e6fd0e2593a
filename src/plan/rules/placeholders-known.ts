import { httpProbesIn } from "../http-probes-in.ts";
import type { HttpOperation, HttpProbe } from "../model.ts";
import { suggest } from "../nearest.ts";
import { BUILT_IN, textsOf, type PlacedText } from "../request-texts.ts";
import type { Complaint, Path } from "../source/source.ts";
import { parseTemplate, placeholdersOf, placeOf } from "../template.ts";
import type { EnvironmentRule } from "./rule.ts";

/**
 * Every placeholder has a value when its request is made; requests are looked at in their order. Keys of the cohorts' list are not in this file,
 * so that with one any name may have a value.
 */
export const placeholdersKnown: EnvironmentRule = (environment) =>
  httpProbesIn(environment).flatMap(({ probe, path }) => {
    const common = [...BUILT_IN, ...Object.keys(probe.values)];
    const ofProbe = Object.entries(probe.headers).map(([name, text]) => ({ text, path: [...path, "headers", name] }));
    return [
      ...judgeAll(ofProbe, common, probe),
      ...probe.operations.flatMap((operation, index) => {
        const before = [...common, ...probe.operations.slice(0, index).flatMap((earlier) => madeBy(earlier))];
        const { request, proof } = textsOf(operation, [...path, "operations", operation.name]);
        return [...judgeAll(request, before, probe), ...judgeAll(proof, [...before, ...madeBy(operation)], probe)];
      }),
    ];
  });

const madeBy = ({ name, keep }: HttpOperation): readonly string[] => [`${name}.id`, ...Object.keys(keep)];

const judgeAll = (placed: readonly PlacedText[], known: readonly string[], probe: HttpProbe): readonly Complaint[] =>
  placed.flatMap(({ text, path }) => judge(text, path, known, probe));

/** What an operation keeps is no cohort's, also before it is kept. */
const mayCohortsGive = (name: string, { cohorts, operations }: HttpProbe): boolean =>
  cohorts !== undefined && !name.includes(".") && !operations.some(({ keep }) => Object.hasOwn(keep, name));

function judge(text: string, path: Path, known: readonly string[], probe: HttpProbe): readonly Complaint[] {
  const parsed = parseTemplate(text);
  if (parsed.kind === "wrong")
    return [
      {
        code: "VALUE_WRONG",
        message: `this is no text with placeholders: ${parsed.why}`,
        path,
        part: { at: parsed.at, length: parsed.length },
        hint: "write {{ for {, and }} for }",
      },
    ];
  return placeholdersOf(parsed.template)
    .filter((name) => !known.includes(name) && !mayCohortsGive(name, probe))
    .map((name) => {
      const hint = suggest(name, known);
      return {
        code: "PLACEHOLDER_UNKNOWN",
        message: `nothing says what {${name}} is when this request is made`,
        path,
        part: placeOf(text, name),
        ...(hint === undefined ? {} : { hint }),
      };
    });
}
