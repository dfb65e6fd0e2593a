import type { Check } from "./scene.ts";

/** While it is held, a Deployment has another minReadySeconds, and midflight goes on as soon as a pod is ready and in the Service. */
export const minReady: Check = ({ fields: { minReadySeconds = 0 }, intent: { soakMs } }) =>
  soakMs !== undefined && minReadySeconds * 1_000 > soakMs
    ? [
        `its minReadySeconds of ${minReadySeconds} is not waited for: a pod counts as soon as it is ready and in the Service; let each wave soak for ${minReadySeconds}s`,
      ]
    : [];
