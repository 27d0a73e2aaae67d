import { pino } from "pino";
import { alertsSchema } from "../../src/app/config/alerts.ts";
import type { Config } from "../../src/app/config.ts";
import type { Incident } from "../../src/core/incident.ts";
import { type Severity, severities } from "../../src/core/signal.ts";
import { Alerts } from "../../src/services/alerts/alerts.ts";
import { AlertKeeper, type KeeperDeps } from "../../src/services/alerts/keeper.ts";
import { Cards } from "../../src/state/cards.ts";
import { Incidents } from "../../src/state/incidents.ts";
import type { Keys, Redis } from "../../src/state/redis.ts";
import { Silences } from "../../src/state/silences.ts";
import { Storms } from "../../src/state/storms.ts";
import { noServers } from "./no-servers.ts";
import { ManualClock, type RedisFixture } from "./state.ts";

/** Chats of the tests' configuration. */
export const opsGroup = -1001;
export const devGroup = -1002;

/** One process' view of the alerts. */
export interface AlertsNode extends KeeperDeps {
  readonly keeper: AlertKeeper;
}

export interface AlertsWorld extends AlertsNode {
  readonly clock: MovableClock;
  readonly keys: Keys;
  /** A further process, with a connection of its own unless one is given. */
  node(redis?: Redis): AlertsNode;
  /** Lets the clock run and does what is due then. */
  pass(ms: number): Promise<void>;
}

/** A clock that a test moves. */
export interface MovableClock {
  now(): Date;
  advance(ms: number): unknown;
}

/** `alerts:` as a person writes it. */
export type AlertsSettings = Parameters<typeof alertsSchema.parse>[0];

const chats = { ops: { id: opsGroup, topics: { alerts: 12 } }, dev: { id: devGroup, topics: {} } };

export function alertsWorld(
  fixture: RedisFixture,
  alerts: AlertsSettings = {},
  clock: MovableClock = new ManualClock(),
  telegram: object = { chats },
): AlertsWorld {
  const keys = fixture.keys();
  const config = { ...noServers, alerts: alertsSchema.parse(alerts), telegram, timezone: "UTC" } as unknown as Config;
  const node = (redis: Redis): AlertsNode => {
    const parts = {
      config,
      clock,
      logger: pino({ level: "silent" }),
      cards: new Cards(redis, keys),
      incidents: new Incidents(redis, keys),
      silences: new Silences(redis, keys),
      storms: new Storms(redis, keys),
    };
    const deps = { ...parts, alerts: new Alerts(parts) };
    return { ...deps, keeper: new AlertKeeper(deps) };
  };
  const first = node(fixture.redis);
  return {
    ...first,
    clock,
    keys,
    node: (redis = fixture.connect()) => node(redis),
    pass: async (ms) => {
      clock.advance(ms);
      await first.keeper.step();
    },
  };
}

/** Where an incident is shown: "card", the storm's id, "hidden"; fails when it is in two places. */
export async function whereIs({ cards, incidents }: AlertsNode, id: string): Promise<string> {
  const placements = await cards.placements(incidents.ref(id));
  const storm = await incidents.stormOf(id);
  const hidden = (await incidents.hiddenIds()).includes(id);
  const places = [
    ...placements.map(() => "card"),
    ...(storm === undefined ? [] : [storm]),
    ...(hidden ? ["hidden"] : []),
  ];
  if (places.length > 1) throw new Error(`incident ${id} is in several places: ${places.join(", ")}`);
  return places[0] ?? "nowhere";
}

/** The title as the tests' signals have it: plain. */
export function titleOf({ title }: Pick<Incident, "title">): string {
  return typeof title === "string" ? title : title.key;
}

/** All incidents that are known, by title. */
export async function allIncidents({ incidents }: AlertsNode): Promise<Incident[]> {
  const all = [...(await incidents.open()), ...(await incidents.endedSince(new Date(0), 100_000))];
  return all.toSorted((a, b) => (titleOf(a) < titleOf(b) ? -1 : 1));
}

/** What a storm's numbers ought to be: counted from its members. */
export async function countedMembers({ incidents, storms }: AlertsNode, storm: string) {
  const members = await incidents.readAll(await storms.members(storm));
  const of = (severity: Severity) => {
    const those = members.filter((incident) => incident.severity === severity);
    const firing = those.filter(({ status }) => status === "firing").length;
    return [severity, { firing, over: those.length - firing }] as const;
  };
  return Object.fromEntries(severities.map(of));
}

/** The storm that rages; fails when there is none, or several. */
export async function ragingStorm({ storms }: AlertsNode): Promise<string> {
  const [storm, ...others] = await storms.raging();
  if (!storm || others.length > 0) throw new Error(`${others.length} storms`);
  return storm.id;
}
