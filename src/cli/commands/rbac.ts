import { Document, isScalar, visit } from "yaml";
import { EXIT } from "../../errors/catalog.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { load } from "../files/load.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { wireGrants } from "../wiring/grants.ts";

type Options = {
  readonly env?: string;
  readonly releases?: string;
  readonly region?: string;
  readonly managersIn?: string;
  readonly json?: boolean;
};
type Grant = Awaited<ReturnType<typeof wireGrants>>[number];

/** The least rights that a plan needs in its clusters, as manifests to apply. Asks no cluster. */
export async function rbac(io: CliIo, [file = ""]: readonly string[], options: Options): Promise<ExitStatus> {
  const loaded = await load(io, file, options);
  const { environment } = loaded;
  if (options.region !== undefined && !Object.hasOwn(environment.regions, options.region))
    throw new UpgradeError("USAGE", `${environment.name} has no region ${options.region}`, {
      hint: `name one of ${Object.keys(environment.regions).join(", ")}`,
    });
  const grants = await wireGrants(loaded, {
    env: io.env,
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.managersIn === undefined ? {} : { managersIn: options.managersIn }),
  });
  if (grants.length === 0)
    throw new UpgradeError("USAGE", "the plan needs no rights in Kubernetes: nothing of it stands there", {
      hint: "name an environment with the driver kubernetes",
    });
  io.print(
    options.json === true
      ? JSON.stringify({ kind: "rbac", grants })
      : grants
          .map((grant) => documentOf(grant))
          .join("---\n")
          .trimEnd(),
  );
  const isPausing = Object.values(environment.components).some(
    (placed) => placed.driver === "kubernetes" && placed.pausesManagers === true,
  );
  if (isPausing && options.managersIn === undefined)
    io.say(
      "To pause an Argo CD application or a Flux Helm release, rights in their namespace are needed as well: --managers-in argocd",
    );
  return EXIT.done;
}

/** With the command that applies it, as a comment: it belongs into one cluster and into no other. */
const documentOf = ({ what, context, namespace, manifest }: Grant): string =>
  `# ${what.join(", ")}: namespace ${namespace} of the context ${context}\n# kubectl --context ${context} apply -f -\n${yamlOf(manifest)}`;

/** Lists of words on one line: a rule is read as a sentence. */
function yamlOf(manifest: object): string {
  const document = new Document(manifest);
  visit(document, {
    Seq: (_, node) => {
      node.flow = node.items.every((item) => isScalar(item));
    },
  });
  return document.toString({ lineWidth: 0 });
}
