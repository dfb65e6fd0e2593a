import { defined } from "./defined.ts";
import { mapValues } from "./map-values.ts";
import type { HttpOperation, HttpProbe, OkxProbe, ProberPlace, ProbeTarget } from "./model.ts";
import type { EnvironmentInput } from "./schema/environment-schema.ts";
import type { HttpProbeInput } from "./schema/http-probe-schema.ts";
import { toValue } from "./to-value.ts";
import { perSecondOf } from "./value-of.ts";

type ProbeInput = NonNullable<EnvironmentInput["regions"][string]["probe"]>;

/** How a region is probed. In class demo a venue's probes say that they only simulate. */
export const toProbe = (input: ProbeInput, isDemo: boolean): ProbeTarget => ({
  ...("okx" in input ? toOkx(input.okx, isDemo) : toHttp(input.http)),
  ...(input.in === undefined ? {} : { in: toPlace(input.in) }),
});

const toPlace = ({ kubeconfig, ...place }: NonNullable<ProbeInput["in"]>): ProberPlace =>
  defined({ ...place, kubeconfig: kubeconfig === undefined ? undefined : toValue(kubeconfig) });

const toOkx = (input: Extract<ProbeInput, { readonly okx: unknown }>["okx"], isDemo: boolean): OkxProbe =>
  defined({
    kind: "okx" as const,
    rest: input.rest,
    ws: input.ws,
    accounts: toValue(input.accounts),
    instrument: input.instrument ?? "BTC-USDT",
    exposure: input.exposure === undefined ? undefined : defined(input.exposure),
    simulatedTrading: input.simulatedTrading ?? isDemo,
    rules: input.rules,
  });

const toHttp = (input: HttpProbeInput): HttpProbe =>
  defined({
    kind: "http" as const,
    url: input.url,
    rules: input.rules,
    values: mapValues(input.values ?? {}, (value) => toValue(value)),
    cohorts: input.cohorts === undefined ? undefined : toValue(input.cohorts),
    headers: input.headers ?? {},
    operations: Object.entries(input.operations).map(([name, operation]) => toOperation(name, operation)),
    cleanUp: input.cleanUp,
    releaseHeader: input.releaseHeader?.toLowerCase(),
    instanceHeader: input.instanceHeader?.toLowerCase(),
    mostPerSec: input.most === undefined ? undefined : perSecondOf(input.most),
  });

function toOperation(name: string, input: HttpProbeInput["operations"][string]): HttpOperation {
  const { method, path, headers = {}, keep = {}, shown } = input;
  return defined({
    name,
    method,
    path,
    headers,
    body: bodyOf(input),
    keep,
    shown:
      shown === undefined
        ? undefined
        : { method: shown.method ?? "GET", path: shown.path, headers: shown.headers ?? {}, at: shown.at, is: shown.is },
  });
}

// `json: null` is a body too.
const bodyOf = ({ body }: HttpProbeInput["operations"][string]): NonNullable<HttpOperation["body"]> | undefined => {
  if (body === undefined) return undefined;
  return "json" in body ? { kind: "json", value: body.json } : { kind: "text", text: body.text };
};
