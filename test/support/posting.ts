import type { Signal } from "../../src/core/signal.ts";
import type { RunningProcess } from "./stack.ts";

export const hooksToken = "a-token-for-webhooks-0123456789";

/** Where a bot listens, as it has logged it. */
export function urlOf(bot: RunningProcess): string {
  const ready = /^.*"msg":"bot ready".*$/m.exec(bot.log())?.[0];
  if (!ready) throw new Error("the bot is not ready");
  return (JSON.parse(ready) as { url: string }).url;
}

/** Posts signals to a bot as Alertmanager does. Returns the status, 0 when there was no answer. */
export async function postAlerts(bot: RunningProcess, signals: readonly Signal[]): Promise<number> {
  const alerts = signals.map(({ status, severity, title, text, labels, fingerprint, startsAt, endsAt }) => ({
    status,
    labels: { ...labels, severity },
    annotations: { summary: title, ...(text === undefined ? {} : { description: text }) },
    startsAt: startsAt ?? new Date().toISOString(),
    endsAt: endsAt ?? "0001-01-01T00:00:00Z",
    generatorURL: "http://prometheus.example/graph",
    fingerprint,
  }));
  try {
    const response = await fetch(`${urlOf(bot)}/hooks/alertmanager`, {
      method: "POST",
      headers: { authorization: `Bearer ${hooksToken}`, "content-type": "application/json" },
      body: JSON.stringify({
        version: "4",
        groupKey: "{}",
        truncatedAlerts: 0,
        status: "firing",
        receiver: "vakhta",
        groupLabels: {},
        commonLabels: {},
        commonAnnotations: {},
        externalURL: "http://alertmanager.example",
        alerts,
      }),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}

/** Posts until the answer is 200, as Alertmanager does with 5xx and lost connections. */
export async function postUntilAccepted(
  bot: () => RunningProcess,
  signals: readonly Signal[],
  timeoutMs = 60_000,
): Promise<void> {
  for (const end = performance.now() + timeoutMs; ; ) {
    if ((await postAlerts(bot(), signals)) === 200) return;
    if (performance.now() > end) throw new Error(`not accepted within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
