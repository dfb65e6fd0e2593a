import { countersOf } from "../entry.ts";
import type { ClassRules, Environment } from "../model.ts";
import { suggest } from "../nearest.ts";
import { SHIPPED_RULES } from "../outcome-class.ts";
import type { Complaint, Path } from "../source/source.ts";
import type { EnvironmentRule } from "./rule.ts";

/** Rules that a probe, a counter or a source names are written in the environment, or ship; and where a probe reads answers by them, they say where the code stands. */
export const rulesKnown: EnvironmentRule = (environment) =>
  namedIn(environment).flatMap(({ name, path, isHttp }) => {
    if (name === SHIPPED_RULES) return [];
    const rules = environment.rules[name];
    if (rules === undefined) return [unknown(name, path, environment)];
    return isHttp && isCodeNowhere(rules) ? [codeNowhere(name)] : [];
  });

type Named = { readonly name: string; readonly path: Path; readonly isHttp: boolean };

const namedIn = ({ regions, components, sources }: Environment): readonly Named[] => [
  ...Object.entries(regions).flatMap(([region, { probe }]) =>
    probe?.rules === undefined
      ? []
      : [
          {
            name: probe.rules,
            path: ["regions", region, "probe", probe.kind, "rules"],
            isHttp: probe.kind === "http",
          },
        ],
  ),
  ...Object.entries(components).flatMap(([name, component]) => {
    const rules = countersOf(component)?.rules;
    return rules === undefined ? [] : [{ name: rules, path: ["components", name, "counters", "rules"], isHttp: false }];
  }),
  ...sources.flatMap(({ rules }, index) =>
    rules === undefined ? [] : [{ name: rules, path: ["sources", index, "rules"], isHttp: false }],
  ),
];

const unknown = (name: string, path: Path, { rules }: Environment): Complaint => {
  const hint = suggest(name, [SHIPPED_RULES, ...Object.keys(rules)]);
  return {
    code: "RULES_UNKNOWN",
    message: `there are no class rules "${name}"`,
    path,
    ...(hint === undefined ? {} : { hint }),
  };
};

const isCodeNowhere = (rules: ClassRules): boolean =>
  rules.extends === undefined && (rules.code ?? []).length === 0 && Object.keys(rules.codes).length > 0;

const codeNowhere = (name: string): Complaint => ({
  code: "RULE_UNREACHABLE",
  message: `the codes of ${name} can never match: no path says where the code stands in an answer`,
  path: ["rules", name, "codes"],
  at: "key",
  hint: "add `code`, a list of JSON paths such as [error.code]",
});
