import type { Environment, Value } from "./model.ts";
import type { Path } from "./source/source.ts";

/** A value of an environment that may come from outside, with its place and what it is. */
export type PlacedValue = { readonly value: Value; readonly path: Path; readonly what: string };

/** Every such value of an environment. */
export const valuesOf = (environment: Environment): readonly PlacedValue[] => [
  ...probeAccounts(environment),
  ...componentValues(environment),
  ...webhooks(environment),
];

const probeAccounts = (environment: Environment): readonly PlacedValue[] =>
  Object.entries(environment.regions).flatMap(([region, { probe }]) =>
    probe === undefined
      ? []
      : [
          {
            value: probe.accounts,
            path: ["regions", region, "probe", "okx", "accounts"],
            what: `the probe accounts of ${region}`,
          },
        ],
  );

const componentValues = (environment: Environment): readonly PlacedValue[] =>
  Object.entries(environment.components).flatMap(([name, component]) => {
    if (component.driver === "postgres")
      return [{ value: component.url, path: ["components", name, "url"], what: `the address of ${name}` }];
    if (component.driver === "command") return [];
    if (component.driver === "kubernetes")
      return component.kubeconfig === undefined
        ? []
        : [
            {
              value: component.kubeconfig,
              path: ["components", name, "kubeconfig"],
              what: `the kubeconfig of ${name}`,
            },
          ];
    return Object.entries(component.env).map(([variable, value]) => ({
      value,
      path: ["components", name, "env", variable],
      what: `${variable} of ${name}`,
    }));
  });

const webhooks = (environment: Environment): readonly PlacedValue[] =>
  environment.notify.flatMap(({ target }, index) =>
    target.kind === "webhook"
      ? [{ value: target.url, path: ["notify", index, "webhook", "url"], what: "the address of a webhook" }]
      : [],
  );
