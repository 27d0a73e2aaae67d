import { AppError } from "../core/errors.ts";
import { botMessage, button, type StoryStep } from "./story.ts";
import { alertsTopic, alice, type DemoWorld, heartbeat, opsChat } from "./world.ts";

const title = "Disk of db-1 is 96 % full";

/** A group of alerts, as Alertmanager posts it. */
function alertmanagerMessage(status: "firing" | "resolved", startsAt: Date): object {
  const labels = { alertname: "DiskFull", severity: "critical", server: "db-1", mountpoint: "/var/lib/postgresql" };
  return {
    version: "4",
    groupKey: '{}:{alertname="DiskFull"}',
    truncatedAlerts: 0,
    status,
    receiver: "vakhta",
    groupLabels: { alertname: labels.alertname },
    commonLabels: labels,
    commonAnnotations: {},
    externalURL: "http://alertmanager.example.org:9093",
    alerts: [
      {
        status,
        labels,
        annotations: { summary: title, description: "At this pace it is full in 40 minutes." },
        startsAt: startsAt.toISOString(),
        endsAt: status === "resolved" ? new Date().toISOString() : "0001-01-01T00:00:00Z",
        generatorURL: "http://prometheus.example.org:9090/graph",
        fingerprint: "c5a1f8e3b2d49670",
      },
    ],
  };
}

async function post({ hooks }: DemoWorld, body: object): Promise<void> {
  const response = await fetch(`${hooks.url}/hooks/alertmanager`, {
    method: "POST",
    headers: { authorization: `Bearer ${hooks.token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new AppError("http", `the webhook answers ${response.status}: ${await response.text()}`);
}

/**
 * An alert without a person: it comes in as Alertmanager sends it, becomes a card, is acknowledged by its button, and
 * its end changes the card.
 * @throws AppError with the step that failed.
 */
export async function playAlert(world: DemoWorld, tell: (step: StoryStep) => void): Promise<void> {
  const startsAt = new Date();
  await post(world, alertmanagerMessage("firing", startsAt));
  tell({ step: "alerted", detail: "POST /hooks/alertmanager" });
  const posted = performance.now();
  const card = await botMessage(
    world,
    (message) => message.message_thread_id === alertsTopic && (message.text ?? "").includes(title),
    "the card of the alert",
  );
  const milliseconds = Math.round(performance.now() - posted);
  const cardNow = async (says: RegExp) =>
    await botMessage(
      world,
      (message) => message.message_id === card.message_id && says.test(message.text ?? ""),
      `the card that says ${says.source}`,
    );
  tell({ step: "fired", detail: `${firstLine(card)} (${milliseconds} ms)` });
  const data = button(card, "Acknowledge");
  if (data === undefined) throw new AppError("internal", `no button to acknowledge: ${card.text}`);
  await world.sandbox.press(opsChat, { from: alice, message_id: card.message_id, data, waitMs: 10_000 });
  const acknowledged = await cardNow(/Acknowledged by alice/);
  tell({ step: "acknowledged", detail: /.*Acknowledged by alice.*/.exec(acknowledged.text ?? "")?.[0] ?? "" });
  await post(world, alertmanagerMessage("resolved", startsAt));
  const over = await cardNow(/resolved/);
  tell({ step: "resolved", detail: firstLine(over) });
}

const firstLine = ({ text = "" }: { text?: string }) => text.split("\n", 1)[0] ?? "";

/** What to type to see an alert begin and end, and a heartbeat fail. */
export function alertCommands({ hooks }: DemoWorld): Record<"firing" | "resolved" | "ping", string> {
  const curl = (status: string) => {
    const event = { fingerprint: "disk-db-1", status, severity: "critical", title, labels: { server: "db-1" } };
    return `curl -H 'authorization: Bearer ${hooks.token}' -d '${JSON.stringify(event)}' ${hooks.url}/hooks/events`;
  };
  return { firing: curl("firing"), resolved: curl("resolved"), ping: `curl ${hooks.url}/ping/${heartbeat.key}/fail` };
}
