import { routedContract } from "../contract/routed.ts";
import { kubePlace, releaseOf } from "../fakes/kube-place.ts";

const SIZE = 3;
const TRAFFIC = { kind: "httpRoute", route: "gateway", beside: "gateway-beside" } as const;

routedContract("in a pretended cluster", async () => {
  const place = await kubePlace({ replicas: SIZE, traffic: TRAFFIC });
  const { tokyo } = place.clusters;
  if (tokyo === undefined) throw new Error("no tokyo");
  tokyo.spoil(`registry/gateway@${releaseOf("3.0").digest}`);
  const things = () => {
    const route = tokyo.get("httproutes", "tokyo", "gateway");
    const [own, beside] = ["gateway", "gateway-beside"].map((name) => tokyo.get("services", "tokyo", name));
    if (route === undefined || own === undefined || beside === undefined) throw new Error("something is gone");
    return { route, own, beside };
  };
  return {
    ...place.open(),
    old: releaseOf("1.0"),
    fresh: releaseOf("2.0"),
    bad: releaseOf("3.0"),
    size: SIZE,
    entry() {
      const { route, own, beside } = things();
      return Promise.resolve({
        weights: route.spec?.rules?.[0]?.backendRefs?.map(({ weight }) => weight) ?? [],
        selectors: [own, beside].map(({ spec }) => spec?.selector ?? {}),
        marks: [route, own, beside].flatMap(({ metadata }) => Object.keys(metadata.annotations ?? {})),
      });
    },
    spec: () => Promise.resolve(tokyo.get("deployments", "tokyo", "gateway")?.spec),
    reweigh(weight) {
      const { route } = things();
      const rules = (route.spec?.rules ?? []).map((rule) => ({
        ...rule,
        backendRefs: rule.backendRefs?.map((ref) => (ref.name === "gateway" ? ref : { ...ref, weight })) ?? [],
      }));
      tokyo.put("httproutes", "tokyo", { ...route, spec: { rules } });
      return Promise.resolve();
    },
    open: () => place.open(),
    close: () => place.close(),
  };
});
