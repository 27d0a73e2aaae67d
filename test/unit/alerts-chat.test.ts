import { describe, expect, test } from "vitest";
import { parseFilter } from "../../src/bot/commands/alerts.ts";
import { matchesEverything, parseSilence } from "../../src/bot/commands/silence.ts";
import { pageOf } from "../../src/bot/views/pages.ts";
import { splitWords } from "../../src/bot/words.ts";
import { type Matcher, parseMatcher } from "../../src/core/matchers.ts";

const matcher = (text: string): Matcher => {
  const parsed = parseMatcher(text);
  if (typeof parsed === "string") throw new Error(`${text}: ${parsed}`);
  return parsed;
};

describe("words", () => {
  test("in quotes belong together, also in the quotes that phones make", () => {
    expect(splitWords('a="b c" "d \\" e" f')).toEqual(['a="b c"', '"d \\" e"', "f"]);
    expect(splitWords("alertname=~“Disk full.*” 2h")).toEqual(['alertname=~"Disk full.*"', "2h"]);
    expect(splitWords(' an "open quote')).toEqual(["an", '"open', "quote"]);
    expect(splitWords("")).toEqual([]);
  });
});

describe("/alerts", () => {
  test.each([
    ["", {}],
    ["Critical", { severities: ["critical"] }],
    ["critical warning", { severities: ["critical", "warning"] }],
    ["env=prod job=~web.*", { matchers: [matcher("env=prod"), matcher("job=~web.*")] }],
    ["history", { endedWithin: 86_400_000 }],
    ["history 7d critical", { endedWithin: 604_800_000, severities: ["critical"] }],
    ["7d history", { endedWithin: 604_800_000 }],
    ["critical,warning", { severities: ["critical", "warning"] }],
    ["crit, warn", { severities: ["critical", "warning"] }],
    ["acknowledged silenced", { handled: ["acknowledged", "silenced"] }],
    ["env=prod,job=web", { matchers: [matcher("env=prod"), matcher("job=web")] }],
    ["severity=Warn", { matchers: [matcher("severity=warning")] }],
    ["имя=значение", { matchers: [{ label: "имя", operator: "=", value: "значение" }] }],
    [
      '"app.kubernetes.io/name"=shop app.kubernetes.io/part-of=x',
      { matchers: [matcher("app.kubernetes.io/name=shop"), matcher("app.kubernetes.io/part-of=x")] },
    ],
  ] as const)("%j is understood", (text, filter) => {
    expect(parseFilter(text)).toEqual(filter);
  });

  test.each([
    ["7d", "alerts-bad-filter", "7d"],
    ["foo", "alerts-bad-filter", "foo"],
    ["critical bar", "alerts-bad-filter", "bar"],
    ["job=~(", "alerts-bad-pattern", "job=~("],
    ["env==prod", "alerts-bad-condition", "env==prod"],
    ["critical severity=loud", "alerts-bad-severity", "severity=loud"],
  ])("%j is refused, with the word that was not understood", (text, problem, word) => {
    expect(parseFilter(text)).toEqual({ problem, word });
  });
});

describe("/silence", () => {
  test.each([
    ['env=prod alertname=~"Disk.*" 2h deploying', ["env=prod", 'alertname=~"Disk.*"'], 7_200_000, "deploying"],
    ["env=prod deploying the shop 1h30m", ["env=prod"], 5_400_000, "deploying the shop"],
    ["2H env=prod", ["env=prod"], 7_200_000, undefined],
    ['env=prod 2h "because a=b 3h"', ["env=prod"], 7_200_000, "because a=b 3h"],
    ["env=prod 1h 30m", ["env=prod"], 5_400_000, undefined],
    ["1h, 30m env=prod don't touch", ["env=prod"], 5_400_000, "don't touch"],
    [
      "env=prod 2h see https://wiki.example.org/?page=1",
      ["env=prod"],
      7_200_000,
      "see https://wiki.example.org/?page=1",
    ],
    ['severity=critical env="prod", 2h', ["severity=critical", "env=prod"], 7_200_000, undefined],
    ["env=prod,job=web 2h", ["env=prod", "job=web"], 7_200_000, undefined],
    ["env='prod' job=~‘a b’ 2h", ["env=prod", 'job=~"a b"'], 7_200_000, undefined],
    ["instance=~db-[0-9]{1,2} 2h", ['instance=~"db-[0-9]{1,2}"'], 7_200_000, undefined],
    ["severity=Critical 2h", ["severity=critical"], 7_200_000, undefined],
    ["severity=warn 2h", ["severity=warning"], 7_200_000, undefined],
    [
      "имя=значение app.kubernetes.io/name=shop 2h",
      ["имя=значение", "app.kubernetes.io/name=shop"],
      7_200_000,
      undefined,
    ],
  ] as const)("%j is understood", (text, matchers, durationMs, reason) => {
    const expected = { matchers: matchers.map(matcher), durationMs, ...(reason === undefined ? {} : { reason }) };
    expect(parseSilence(text)).toEqual(expected);
  });

  test.each([
    ["2h deploying", "silence-no-matcher"],
    ["env=prod", "silence-no-duration"],
    ["env=prod 30s", "silence-bad-duration"],
    ["env=prod 91d", "silence-bad-duration"],
    ["env=~( 2h", "alerts-bad-pattern"],
    ["job=web deploy 2h env=prod", "silence-late-condition"],
    ['job=x env="prod 2h', "alerts-bad-condition"],
    ['env=prod 2h job="x', "alerts-bad-condition"],
    ["env==prod 2h", "alerts-bad-condition"],
    ["env=prod,test 2h", "alerts-bad-condition"],
    ["env = prod 2h", "alerts-bad-condition"],
    ["env=prod deploy ~2h", "alerts-bad-condition"],
    ["env=prod 2h deploy until 3h", "silence-two-durations"],
    ["severity=loud 2h", "alerts-bad-severity"],
    ["severity=~Critical 2h", "alerts-bad-severity"],
    [`${Array.from({ length: 21 }, (_, n) => `l${n}=x`).join(" ")} 1h`, "silence-too-many"],
  ])("%j is refused in one line", (text, problem) => {
    expect(parseSilence(text)).toMatchObject({ problem });
  });

  test.each([
    ["env=prod", false],
    ["env!=prod", true],
    ["alertname=~.*", true],
    ["alertname=~.+", true],
    ["alertname=~Disk.*", false],
    ["severity=critical", false],
    ["severity=~critical|warning|info", true],
    ["env!=dev severity=warning", false],
    ["nothing=", true],
  ])("%j may be everything: %j", (text, everything) => {
    expect(matchesEverything(text.split(" ").map(matcher))).toBe(everything);
  });
});

describe("pages", () => {
  test("stay within what there is, also when the list has become shorter", () => {
    expect(pageOf(undefined, 20, 8)).toEqual({ page: 0, pages: 3, from: 0 });
    expect(pageOf(7, 20, 8)).toEqual({ page: 2, pages: 3, from: 16 });
    expect(pageOf(-1, 0, 8)).toEqual({ page: 0, pages: 1, from: 0 });
  });
});
