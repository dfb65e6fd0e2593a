import { httpProbesIn } from "../http-probes-in.ts";
import type { HttpProbe } from "../model.ts";
import { suggest } from "../nearest.ts";
import { BUILT_IN } from "../request-texts.ts";
import type { Complaint, Path } from "../source/source.ts";
import type { EnvironmentRule } from "./rule.ts";

/** What a probe over HTTP says can be done, and nothing is said twice. */
export const httpProbesHold: EnvironmentRule = (environment) =>
  httpProbesIn(environment).flatMap(({ probe, path }) => [
    ...plainAddress(probe, path),
    ...ownHeaders(probe, path),
    ...hasOperations(probe, path),
    ...knownCleanUp(probe, path),
    ...oneBody(probe, path),
    ...distinctNames(probe, path),
  ]);

/** An operation's path stands after it, so it has no query. */
const plainAddress = ({ url }: HttpProbe, path: Path): readonly Complaint[] =>
  URL.canParse(url) && !/[?#]/.test(url)
    ? []
    : [
        {
          code: "VALUE_WRONG",
          message: URL.canParse(url) ? "the address of a probe has no query" : "this is no address",
          path: [...path, "url"],
          hint: "write it such as https://pay.example/api, and the query in the path of each operation",
        },
      ];

/** They belong to the connection; a request that sets them is never sent. */
const RESERVED = /^(connection|content-length|expect|keep-alive|te|trailer|transfer-encoding|upgrade)$/i;

const ownHeaders = ({ headers, operations }: HttpProbe, path: Path): readonly Complaint[] =>
  [
    { headers, path },
    ...operations.flatMap(({ name, headers: own, shown }) => [
      { headers: own, path: [...path, "operations", name] },
      { headers: shown?.headers ?? {}, path: [...path, "operations", name, "shown"] },
    ]),
  ].flatMap((block) =>
    Object.keys(block.headers)
      .filter((name) => RESERVED.test(name))
      .map((name) => ({
        code: "VALUE_WRONG",
        message: `the header ${name} belongs to the connection`,
        path: [...block.path, "headers", name],
        at: "key" as const,
        hint: "leave it out",
      })),
  );

const hasOperations = ({ operations }: HttpProbe, path: Path): readonly Complaint[] =>
  operations.length > 0
    ? []
    : [
        {
          code: "GUARD_BLIND",
          message: "this probe tries no operation",
          path: [...path, "operations"],
          hint: "add what a user does, such as `pay: { method: POST, path: /payments }`",
        },
      ];

function knownCleanUp({ operations, cleanUp }: HttpProbe, path: Path): readonly Complaint[] {
  const [first, ...others] = operations.map(({ name }) => name);
  if (cleanUp === undefined || others.includes(cleanUp)) return [];
  const hint = cleanUp === first ? "name one of the operations after it" : suggest(cleanUp, others);
  return [
    {
      code: "VALUE_WRONG",
      message:
        cleanUp === first
          ? `${cleanUp} is the first operation, so it cannot take back what the first one began`
          : `the probe has no operation "${cleanUp}" after the first`,
      path: [...path, "cleanUp"],
      ...(hint === undefined ? {} : { hint }),
    },
  ];
}

const oneBody = ({ operations }: HttpProbe, path: Path): readonly Complaint[] =>
  operations.flatMap(({ name, method, body }) =>
    method === "GET" && body !== undefined
      ? [
          {
            code: "VALUE_WRONG",
            message: "a GET carries no body",
            path: [...path, "operations", name, "body"],
            at: "key" as const,
            hint: "leave it out, or choose another method",
          },
        ]
      : [],
  );

/** A value would hide another of the same name. */
const distinctNames = ({ operations, values }: HttpProbe, path: Path): readonly Complaint[] => {
  const taken = new Set<string>(BUILT_IN);
  const complain = (name: string, at: Path): readonly Complaint[] => {
    if (!taken.has(name)) {
      taken.add(name);
      return [];
    }
    return [
      {
        code: "NAME_REPEATED",
        message: `{${name}} has another meaning already`,
        path: at,
        at: "key",
        hint: "give it another name",
      },
    ];
  };
  return [
    ...Object.keys(values).flatMap((name) => complain(name, [...path, "values", name])),
    ...operations.flatMap((operation) =>
      Object.keys(operation.keep).flatMap((name) =>
        complain(name, [...path, "operations", operation.name, "keep", name]),
      ),
    ),
  ];
};
