import { kubePlace, releaseOf } from "../fakes/kube-place.ts";
import { switchedContract } from "../contract/switched.ts";

const SIZE = 3;

switchedContract("in a pretended cluster", async () => {
  const place = await kubePlace({ replicas: SIZE, traffic: { kind: "selector" } });
  const { tokyo } = place.clusters;
  if (tokyo === undefined) throw new Error("no tokyo");
  tokyo.spoil(`registry/gateway@${releaseOf("3.0").digest}`);
  const driver = place.open();
  const service = () => tokyo.get("services", "tokyo", "gateway");
  return {
    ...driver,
    old: releaseOf("1.0"),
    fresh: releaseOf("2.0"),
    bad: releaseOf("3.0"),
    size: SIZE,
    plain: { app: "gateway" },
    service: () =>
      Promise.resolve({
        selector: service()?.spec?.selector ?? {},
        marks: Object.keys(service()?.metadata.annotations ?? {}),
      }),
    spec: () => Promise.resolve(tokyo.get("deployments", "tokyo", "gateway")?.spec),
    select: (selector) => {
      const found = service();
      if (found !== undefined) tokyo.put("services", "tokyo", { ...found, spec: { ...found.spec, selector } });
      return Promise.resolve();
    },
    open: () => place.open(),
    close: () => place.close(),
  };
});
