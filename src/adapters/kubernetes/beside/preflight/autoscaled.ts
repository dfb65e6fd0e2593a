import { scalersOf } from "../managers.ts";
import type { Check } from "./scene.ts";

/** An autoscaler that may change the number of pods does it in the middle, and that halts the run. */
export const autoscaled: Check = ({ object, fields: { replicas }, autoscalers }) => {
  const free = autoscalers.filter(
    ({ spec: { minReplicas = 1, maxReplicas = Infinity } }) => minReplicas !== replicas || maxReplicas !== replicas,
  );
  return scalersOf(object, free).map(
    ({ name, pause }) => `${name} owns the number of its pods, and a change in the middle halts the run: ${pause}`,
  );
};
