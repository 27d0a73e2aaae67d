import { describe, expect, test } from "vitest";
import {
  endHeardAt,
  type Incident,
  type IncidentSettings,
  incidentUrgency,
  recentChanges,
} from "../../src/core/incident.ts";
import { acknowledge, applySilence, applyTime, close, repeat } from "../../src/core/incident-life.ts";
import { applySignal, type Transition } from "../../src/core/incident-signal.ts";
import { identityOf, type Signal } from "../../src/core/signal.ts";
import type { Silence } from "../../src/core/silence.ts";
import { operator, signal } from "../support/signals.ts";

const minute = 60_000;
const settings: IncidentSettings = {
  reopenWithin: 30 * minute,
  staleAfter: 24 * 60 * minute,
  flapping: { changes: 6, within: 20 * minute },
};
const silence: Silence = {
  id: "quiet",
  matchers: [],
  by: operator,
  reason: "a move",
  createdAt: "2026-03-01T03:00:00.000Z",
  until: "2026-03-01T04:00:00.000Z",
};

/** What is known of one thing, and a clock that the test moves. */
class Story {
  #at = Date.parse("2026-03-01T03:00:00.000Z");
  #incident: Incident | undefined;
  #began = "";
  readonly transitions: Transition[] = [];
  readonly #settings: IncidentSettings;

  constructor(by: IncidentSettings = settings) {
    this.#settings = by;
  }

  get now(): Date {
    return new Date(this.#at);
  }
  get incident(): Incident {
    if (!this.#incident) throw new Error("nothing is known yet");
    return this.#incident;
  }
  get events(): string[] {
    return this.incident.history.map(({ event }) => event);
  }
  /** A time of the story: minutes after its beginning. */
  at(minutes: number): string {
    return new Date(Date.parse("2026-03-01T03:00:00.000Z") + minutes * minute).toISOString();
  }
  pass(minutes: number): this {
    this.#at += minutes * minute;
    return this;
  }
  hear(change: Partial<Signal> = {}): Transition {
    const heard = signal("db-1", change);
    const applied = applySignal(this.#incident, heard, identityOf(heard), this.#settings, this.now);
    this.#incident = applied.incident;
    this.transitions.push(applied.transition);
    return applied.transition;
  }
  fire(change: Partial<Signal> = {}): Transition {
    this.#began = change.startsAt ?? this.now.toISOString();
    return this.hear({ startsAt: this.now.toISOString(), ...change });
  }
  resolve(change: Partial<Signal> = {}): Transition {
    return this.hear({
      status: "resolved",
      startsAt: this.#began,
      endsAt: this.now.toISOString(),
      ...change,
    });
  }
  change(how: (incident: Incident) => Incident): this {
    this.#incident = how(this.incident);
    return this;
  }
}

describe("an incident", () => {
  test("begins with a firing signal, when the sender says it began", () => {
    const story = new Story().pass(5);
    expect(story.fire({ startsAt: story.at(2), severity: "critical", text: "no answer" })).toBe("opened");
    expect(story.incident).toMatchObject({
      status: "firing",
      severity: "critical",
      text: "no answer",
      openedAt: story.at(2),
      heardAt: story.at(5),
      times: 1,
      rings: 0,
    });
    expect(story.events).toEqual(["opened"]);
    expect(incidentUrgency(story.incident)).toBe("critical");
  });

  test("never begins in the future, whatever the sender's clock says", () => {
    const story = new Story();
    story.fire({ startsAt: story.at(180) });
    expect(story.incident.openedAt).toBe(story.at(0));
  });

  test("stays the same when it is told again, and changes when it is told differently", () => {
    const story = new Story();
    story.fire();
    story.pass(1);
    expect(story.hear({ startsAt: story.at(0) })).toBe("heard");
    expect(story.incident.heardAt).toBe(story.at(1));
    expect(story.hear({ startsAt: story.at(0), text: "worse" })).toBe("changed");
    expect(story.hear({ startsAt: story.at(0), text: "worse", truncated: 7 })).toBe("changed");
    expect(story.incident).toMatchObject({ text: "worse", truncated: 7, times: 1 });
    expect(story.hear({ startsAt: story.at(0), text: "worse" })).toBe("changed");
    expect(story.incident).not.toHaveProperty("truncated");
    expect(story.events).toEqual(["opened"]);
  });

  test("does not change because each of several watchers links to itself", () => {
    const story = new Story();
    const from = (host: string): Partial<Signal> => ({
      startsAt: story.at(0),
      links: [{ kind: "alertmanager", url: `http://${host}/` }],
    });
    story.hear(from("one"));
    expect(story.hear(from("two"))).toBe("heard");
    expect(story.incident.links).toEqual([{ kind: "alertmanager", url: "http://one/" }]);
    const more = { ...from("two"), links: [{ kind: "runbook" as const, url: "http://wiki/" }] };
    expect(story.hear(more)).toBe("changed");
    expect(story.incident.links).toEqual(more.links);
  });

  test("ends with the end of its beginning, and says how", () => {
    const story = new Story();
    story.fire({ truncated: 3 });
    story.pass(4);
    expect(story.resolve({ text: "answers again" })).toBe("resolved");
    expect(story.incident).toMatchObject({ status: "resolved", endedAt: story.at(4), text: "answers again" });
    expect(story.incident).not.toHaveProperty("truncated");
    expect(story.events).toEqual(["opened", "resolved"]);
    expect(incidentUrgency(story.incident)).toBe("normal");
  });

  test("is over once its end was heard, however often late copies of its beginning arrive", () => {
    const story = new Story();
    story.fire();
    story.pass(1).resolve();
    story.pass(0.9);
    expect(story.hear({ startsAt: story.at(0) })).toBe("none");
    expect(story.resolve({ endsAt: story.at(1) })).toBe("none");
    expect(story.incident.status).toBe("resolved");
    expect(story.transitions).toEqual(["opened", "resolved", "none", "none"]);
  });

  test("that is still reported a minute after its end was never over, however long ago that was", () => {
    for (const later of [1, 29, 4 * 60]) {
      const story = new Story();
      story.fire({ severity: "critical" });
      const { id } = story.incident;
      story.pass(4).resolve();
      story.pass(later);
      expect(story.hear({ severity: "critical", startsAt: story.at(0) })).toBe("reopened");
      expect(story.incident).toMatchObject({ id, status: "firing", firedAt: story.at(0), times: 2, rings: 1 });
      expect(story.incident).not.toHaveProperty("endedAt");
      expect(story.events).toEqual(["opened", "resolved", "contradicted"]);
      expect(incidentUrgency(story.incident)).toBe("critical");
      // Its sender heals what was only a very late copy, even by the end that it has told before.
      expect(story.resolve({ endsAt: story.at(4) })).toBe("resolved");
    }
  });

  test("that is still reported after an end which came first is shown", () => {
    const story = new Story();
    story.hear({ status: "resolved", startsAt: story.at(0), endsAt: story.at(0) });
    story.pass(2);
    expect(story.hear({ startsAt: story.at(0) })).toBe("opened");
    expect(story.incident).toMatchObject({ status: "firing", times: 1 });
  });

  test("of a clock that was an hour ahead and has been set is heard again", () => {
    const story = new Story();
    story.fire({ startsAt: story.at(4) });
    story.pass(1).resolve({ endsAt: story.at(5) });
    story.pass(2);
    expect(story.hear({ startsAt: story.at(2) })).toBe("reopened");
    expect(story.hear({ status: "resolved", startsAt: story.at(2) })).toBe("resolved");
  });

  test("has lasted for as long as its sender says, however late that is told", () => {
    const story = new Story().pass(60);
    story.fire({ startsAt: story.at(0) });
    story.pass(1);
    story.hear({ status: "resolved", startsAt: story.at(0), endsAt: story.at(30) });
    expect(story.incident).toMatchObject({ firedAt: story.at(0), endedAt: story.at(30), heardAt: story.at(61) });
    expect(endHeardAt(story.incident)).toBe(story.at(61));
    expect(story.incident.history.at(-1)).toEqual({ at: story.at(30), event: "resolved" });
    // What began again is the same one for half an hour after the news, not after the end.
    story.pass(29);
    expect(story.hear({ startsAt: story.at(85) })).toBe("reopened");
  });

  test("never ends before it began, and its history goes forwards", () => {
    const story = new Story();
    story.fire();
    story.pass(5).change((incident) => acknowledge(incident, operator, story.now));
    story.pass(1).resolve({ endsAt: story.at(3) });
    expect(story.incident.endedAt).toBe(story.at(3));
    expect(story.incident.history.at(-1)).toEqual({ at: story.at(5), event: "resolved" });
    story.pass(1).fire();
    story.resolve({ endsAt: story.at(6), startsAt: story.at(7) });
    expect(story.incident.endedAt).toBe(story.at(7));
  });

  test("is ended by its end although the sender names its beginning only then, or less exactly", () => {
    const story = new Story().pass(5);
    story.hear();
    expect(story.hear({ status: "resolved", startsAt: story.at(4), endsAt: story.at(4.5) })).toBe("resolved");
    expect(story.incident.endedAt).toBe(story.at(5));
    story.pass(1).fire({ startsAt: new Date(story.now.getTime() + 900).toISOString() });
    expect(story.hear({ status: "resolved", startsAt: story.at(6) })).toBe("resolved");
    // A beginning that was named is one again.
    story.pass(10).fire();
    expect(story.hear({ status: "resolved", startsAt: story.at(6) })).toBe("none");
  });

  test("that has ended before it was heard of is never shown as firing", () => {
    const story = new Story().pass(2);
    expect(story.hear({ status: "resolved", startsAt: story.at(0), endsAt: story.at(1) })).toBe("heard");
    expect(story.hear({ startsAt: story.at(0) })).toBe("none");
    expect(story.incident).toMatchObject({ status: "resolved", times: 0 });
    expect(story.hear({ startsAt: story.at(2) })).toBe("opened");
    expect(story.incident).toMatchObject({ status: "firing", times: 1 });
  });

  test("is not ended by the late end of an earlier beginning, but by one that ended after its own", () => {
    const story = new Story();
    story.fire();
    story.pass(1).resolve();
    story.pass(4).fire();
    expect(story.hear({ status: "resolved", startsAt: story.at(0), endsAt: story.at(1) })).toBe("none");
    expect(story.hear({ status: "resolved", startsAt: story.at(0) })).toBe("none");
    expect(story.incident.status).toBe("firing");
    // Two watchers see the same thing begin at different times; one of them tells its end.
    story.pass(2);
    expect(story.hear({ status: "resolved", startsAt: story.at(0), endsAt: story.at(7) })).toBe("resolved");
    expect(story.hear({ startsAt: story.at(6) })).toBe("none");
  });

  test("that fires again soon is the same one, rings, and has to be taken on anew", () => {
    const story = new Story();
    story.fire();
    const { id } = story.incident;
    story.change((incident) => acknowledge(incident, operator, story.now));
    story.pass(1).resolve();
    story.pass(29);
    expect(story.fire()).toBe("reopened");
    expect(story.incident).toMatchObject({ id, status: "firing", times: 2, rings: 1, firedAt: story.at(30) });
    expect(story.incident).not.toHaveProperty("acknowledged");
    expect(story.incident).not.toHaveProperty("endedAt");
    expect(story.events).toEqual(["opened", "acknowledged", "resolved", "reopened"]);
  });

  test("that fires again after the window is another one", () => {
    const story = new Story();
    story.fire();
    const { id } = story.incident;
    story.pass(1).resolve();
    story.pass(31);
    expect(story.fire()).toBe("opened");
    expect(story.incident.id).not.toBe(id);
    expect(story.events).toEqual(["opened"]);
  });

  test("of a sender that names no beginning follows the order of what is told, even within a millisecond", () => {
    const story = new Story();
    expect(story.hear()).toBe("opened");
    expect(story.hear()).toBe("heard");
    expect(story.hear({ status: "resolved" })).toBe("resolved");
    expect(story.hear()).toBe("reopened");
    expect(story.incident.status).toBe("firing");
  });

  test("is not silenced by a clock that was a day ahead and has been set", () => {
    const story = new Story();
    story.fire({ startsAt: story.at(1440) });
    expect(story.hear({ status: "resolved", startsAt: story.at(1440) })).toBe("resolved");
    expect(story.hear({ startsAt: story.at(1440) })).toBe("none");
    story.pass(5);
    expect(story.fire()).toBe("reopened");
    expect(story.resolve()).toBe("resolved");
  });

  test("is not silenced by an end in the distant future", () => {
    const story = new Story();
    story.fire();
    story.resolve({ endsAt: "9999-01-01T00:00:00Z" });
    story.pass(1);
    expect(story.fire()).toBe("reopened");
  });

  test("keeps going with times that are none", () => {
    const story = new Story();
    expect(story.hear({ startsAt: "yesterday" })).toBe("opened");
    expect(story.hear({ status: "resolved", startsAt: "?", endsAt: "0001-01-01T00:00:00Z" })).toBe("resolved");
  });
});

describe("a person", () => {
  test("takes it on once; what is over cannot be taken on", () => {
    const story = new Story();
    story.fire();
    story.pass(1).change((incident) => acknowledge(incident, operator, story.now));
    expect(story.incident.acknowledged).toEqual({ by: operator, at: story.at(1) });
    const { incident } = story;
    expect(acknowledge(incident, { id: 1, name: "else" }, story.now)).toBe(incident);
    story.resolve();
    expect(acknowledge(story.incident, operator, story.now)).toBe(story.incident);
    expect(story.incident.history[1]).toEqual({ at: story.at(1), event: "acknowledged", by: operator });
  });

  test("closes it: reports of the same beginning are counted, a new one opens it", () => {
    const story = new Story();
    story.fire();
    story.pass(1).change((incident) => close(incident, operator, story.now));
    expect(story.incident).toMatchObject({ status: "closed", endedAt: story.at(1), closed: { by: operator } });
    expect(close(story.incident, operator, story.now)).toBe(story.incident);
    expect(story.hear({ startsAt: story.at(0) })).toBe("changed");
    expect(story.hear({ startsAt: story.at(0) })).toBe("heard");
    expect(story.incident).toMatchObject({ status: "closed", stillReported: 2 });
    story.pass(1);
    expect(story.fire()).toBe("reopened");
    expect(story.incident).not.toHaveProperty("stillReported");
    expect(story.incident).not.toHaveProperty("closed");
  });

  test("has closed what goes on: its real end is told", () => {
    const story = new Story();
    story.fire();
    story.pass(1).change((incident) => close(incident, operator, story.now));
    story.hear({ startsAt: story.at(0) });
    expect(story.pass(1).resolve()).toBe("changed");
    expect(story.incident).toMatchObject({ status: "closed" });
    expect(story.incident).not.toHaveProperty("stillReported");
    expect(story.events).toEqual(["opened", "closed", "resolved"]);
    expect(story.resolve()).toBe("none");
  });
});

describe("severity", () => {
  test("that rises rings although somebody has taken it on: not this", () => {
    const story = new Story();
    story.fire();
    story.change((incident) => acknowledge(incident, operator, story.now));
    story.pass(1).hear({ startsAt: story.at(0), severity: "critical" });
    expect(story.incident).not.toHaveProperty("acknowledged");
    expect(story.incident.rings).toBe(1);
    expect(story.events).toEqual(["opened", "acknowledged", "severity", "unacknowledged"]);
    story.change((incident) => acknowledge(incident, operator, story.now));
    story.pass(1).hear({ startsAt: story.at(0), severity: "warning" });
    expect(story.incident).toMatchObject({ rings: 1, acknowledged: { by: operator } });
  });

  test("that rises rings, that falls does not", () => {
    const story = new Story();
    story.fire();
    expect(story.hear({ startsAt: story.at(0), severity: "critical" })).toBe("changed");
    expect(story.incident).toMatchObject({ severity: "critical", rings: 1 });
    story.hear({ startsAt: story.at(0), severity: "info" });
    expect(story.incident).toMatchObject({ severity: "info", rings: 1 });
    expect(story.incident.history.slice(1).map(({ detail }) => detail)).toEqual(["critical", "info"]);
  });
});

describe("flapping", () => {
  function flap(story: Story, times: number, every = 1): void {
    for (let time = 0; time < times; time++) {
      story.pass(every).fire();
      story.pass(every).resolve();
    }
  }

  test("is six beginnings and ends within twenty minutes: told once, and then it is quiet", () => {
    const story = new Story();
    flap(story, 2);
    story.pass(1).fire();
    expect(story.incident).not.toHaveProperty("flapping");
    expect(story.incident.rings).toBe(2);
    story.pass(1).resolve();
    expect(story.incident.flapping).toEqual({ since: story.at(1) });
    flap(story, 4);
    expect(story.incident).toMatchObject({ times: 7, rings: 2 });
    expect(story.events.filter((event) => event === "flapping")).toHaveLength(1);
    expect(recentChanges(story.incident, settings, story.now)).toHaveLength(14);
    expect(incidentUrgency(story.incident)).toBe("normal");
    expect(incidentUrgency(story.incident, story.incident)).toBe("quiet");
    expect(incidentUrgency({ ...story.incident, severity: "info" }, story.incident)).toBe("normal");
  });

  test("is seen although the incidents of one thing are shorter than its pauses, and is one card from then on", () => {
    const ids = new Set<string>();
    const story = new Story({ ...settings, reopenWithin: 10_000 });
    for (let time = 0; time < 6; time++) {
      story.pass(1).fire();
      ids.add(story.incident.id);
      story.pass(1).resolve();
    }
    expect(story.incident).toMatchObject({ flapping: { since: story.at(1) }, times: 4 });
    expect(ids.size).toBe(3);
  });

  test("is not what changes slowly", () => {
    const story = new Story();
    flap(story, 10, 5);
    expect(story.incident).not.toHaveProperty("flapping");
    expect(story.incident.times).toBe(10);
  });

  test("is over only when it is much calmer than what began it, and what still fires then rings", () => {
    const story = new Story();
    flap(story, 3);
    story.pass(1).fire();
    const { rings } = story.incident;
    // Still four changes within the window: calmer than at its beginning, not calm enough.
    story.pass(16);
    expect(recentChanges(story.incident, settings, story.now)).toHaveLength(5);
    expect(applyTime(story.incident, settings, story.now)).toBe(story.incident);
    story.pass(2).change((incident) => applyTime(incident, settings, story.now));
    expect(story.incident).not.toHaveProperty("flapping");
    expect(story.incident.rings).toBe(rings + 1);
    expect(story.events.at(-1)).toBe("settled");
  });

  test("that ends in calm says so without a ring", () => {
    const story = new Story();
    flap(story, 3);
    const { rings } = story.incident;
    story.pass(30).change((incident) => applyTime(incident, settings, story.now));
    expect(story.incident).toMatchObject({ status: "resolved", rings });
    expect(story.events.at(-1)).toBe("settled");
  });
});

describe("time", () => {
  test("makes stale what is not told again, and the next report takes it back", () => {
    const story = new Story();
    story.fire();
    story.pass(24 * 60 - 1);
    expect(applyTime(story.incident, settings, story.now)).toBe(story.incident);
    story.pass(1).change((incident) => applyTime(incident, settings, story.now));
    expect(story.incident.staleSince).toBe(story.at(0));
    expect(applyTime(story.incident, settings, story.now)).toBe(story.incident);
    expect(story.hear({ startsAt: story.at(0) })).toBe("changed");
    expect(story.incident).not.toHaveProperty("staleSince");
    expect(story.events).toEqual(["opened", "stale", "heard"]);
  });

  test("makes nothing stale that reports changes only, nor what is over", () => {
    const story = new Story();
    story.fire({ repeats: false });
    story.pass(48 * 60);
    expect(applyTime(story.incident, settings, story.now)).toBe(story.incident);
    story.resolve();
    story.pass(48 * 60);
    expect(applyTime(story.incident, settings, story.now)).toBe(story.incident);
  });

  test("rings again for what fires and nobody has taken on", () => {
    const story = new Story();
    story.fire();
    const again = (): Incident => repeat(story.incident, 60 * minute, story.now);
    story.pass(59);
    expect(again()).toBe(story.incident);
    story.pass(1).change(again);
    expect(story.incident.rings).toBe(1);
    expect(repeat(story.incident, undefined, story.pass(999).now)).toBe(story.incident);
    story.change((incident) => acknowledge(incident, operator, story.now));
    expect(again()).toBe(story.incident);
  });
});

describe("a silence", () => {
  test("is told on what fires, keeps it from ringing, and rings at its end", () => {
    const story = new Story();
    story.fire({ severity: "critical" });
    story.change((incident) => applySilence(incident, silence, story.now));
    expect(story.incident.silenced).toEqual({ silence: "quiet", by: operator, until: silence.until, reason: "a move" });
    expect(incidentUrgency(story.incident)).toBe("normal");
    expect(applySilence(story.incident, silence, story.now)).toBe(story.incident);
    story.pass(1).resolve();
    story.pass(1).fire({ severity: "critical" });
    expect(story.incident.rings).toBe(0);
    story.pass(60).change((incident) => applySilence(incident, undefined, story.now));
    expect(story.incident).not.toHaveProperty("silenced");
    expect(story.incident.rings).toBe(1);
    expect(story.events).toEqual(["opened", "silenced", "resolved", "reopened", "unsilenced"]);
  });

  test("that somebody has ended says who", () => {
    const story = new Story();
    story.fire();
    story.change((incident) => applySilence(incident, silence, story.now));
    story.change((incident) => applySilence(incident, undefined, story.now, operator));
    expect(story.incident.history.at(-1)).toMatchObject({ event: "unsilenced", by: operator });
  });

  test("that ends after what it was about has ended is no news", () => {
    const story = new Story();
    story.fire();
    story.change((incident) => applySilence(incident, silence, story.now));
    story.resolve();
    story.change((incident) => applySilence(incident, undefined, story.now));
    expect(story.incident).toMatchObject({ status: "resolved", rings: 0 });
    expect(story.events).toEqual(["opened", "silenced", "resolved"]);
  });
});

describe("an event that merely happens", () => {
  test("is noted, and told once", () => {
    const story = new Story();
    expect(story.hear({ status: "info", severity: "info", startsAt: story.at(0) })).toBe("opened");
    expect(story.incident).toMatchObject({ status: "noted", endedAt: story.at(0) });
    const { id } = story.incident;
    expect(story.pass(1).hear({ status: "info", severity: "info", startsAt: story.at(0) })).toBe("none");
    expect(story.hear({ status: "info", severity: "info", startsAt: story.at(1) })).toBe("opened");
    expect(story.incident.id).not.toBe(id);
  });

  test("is the same one when its sender repeats its name and says no time", () => {
    const story = new Story();
    const note = { status: "info", severity: "info" } as const;
    expect(story.hear(note)).toBe("opened");
    const { id } = story.incident;
    expect(story.pass(1).hear(note)).toBe("none");
    expect(story.hear({ ...note, text: "more of it" })).toBe("changed");
    expect(story.incident).toMatchObject({ id, status: "noted", text: "more of it", endedAt: story.at(0) });
    expect(story.hear({ ...note, fingerprint: undefined })).toBe("opened");
    story.pass(31);
    expect(story.hear(note)).toBe("opened");
    expect(story.incident.id).not.toBe(id);
  });

  test("is never taken for something that is wrong, even under the same name", () => {
    expect(identityOf(signal("db-1", { status: "info" }))).not.toBe(identityOf(signal("db-1")));
  });
});

describe("what is the same thing", () => {
  const { fingerprint: _fingerprint, ...anonymous } = signal("db-1");

  test("is told by the sender's fingerprint, whatever else changes", () => {
    const same = signal("db-1", { title: "other", labels: {}, severity: "info", status: "resolved" });
    expect(identityOf(same)).toBe(identityOf(signal("db-1")));
    expect(identityOf(signal("db-2"))).not.toBe(identityOf(signal("db-1")));
    expect(identityOf(signal("db-1", { source: "grafana" }))).not.toBe(identityOf(signal("db-1")));
  });

  test("is told by source, title and labels in any order where there is no fingerprint", () => {
    const labels = { instance: "db-1", alertname: "Down" };
    expect(identityOf({ ...anonymous, labels })).toBe(identityOf(anonymous));
    expect(identityOf({ ...anonymous, severity: "critical", text: "x" })).toBe(identityOf(anonymous));
    for (const other of [{ title: "else" }, { labels: { instance: "db-2" } }, { source: "events" }])
      expect(identityOf({ ...anonymous, ...other })).not.toBe(identityOf(anonymous));
    expect(identityOf({ ...anonymous, labels: { a: "b,c" } })).not.toBe(
      identityOf({ ...anonymous, labels: { a: "b", c: "" } }),
    );
  });
});
