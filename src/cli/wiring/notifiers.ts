import type { Environment, NotifyRule } from "../../plan/model.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Notifier } from "../../ports/notifier.ts";
import type { Secrets } from "./secrets.ts";

/** Everybody whom an environment wants to be told. Throws `SECRET_MISSING`. */
export const wireNotifiers = (
  { notify }: Pick<Environment, "notify">,
  secrets: Secrets,
  clock: Clock,
): Promise<readonly Notifier[]> => Promise.all(notify.map((rule) => wireNotifier(rule, secrets, clock)));

async function wireNotifier(rule: NotifyRule, secrets: Secrets, clock: Clock): Promise<Notifier> {
  if (rule.target.kind === "webhook") {
    const { webhookNotifier } = await import("../../adapters/notify/webhook.ts");
    return webhookNotifier({ url: secrets.read(rule.target.url, "the URL of a webhook"), on: rule.on, clock });
  }
  const { commandNotifier } = await import("../../adapters/notify/command.ts");
  return commandNotifier({ argv: rule.target.argv, on: rule.on });
}
