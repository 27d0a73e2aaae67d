import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { configExitCode } from "../../src/app/config.ts";
import { createProgram } from "../../src/cli/program.ts";
import { exitCodes, processTerminal } from "../../src/cli/terminal.ts";

const text = readFileSync(join(import.meta.dirname, "../../docs/cli.md"), "utf8");

/** What the document says below each of its headings. */
const sections = new Map(
  text.split(/^## /m).map((section): [string, string] => {
    const end = section.indexOf("\n");
    return [section.slice(0, end).replaceAll("`", ""), section.slice(end)];
  }),
);

/** The first column of the tables in a section, as far as it has options. */
const documented = (section: string): string[] =>
  [...section.matchAll(/^\| `(-[^`]+)` \|/gm)].map(([, flags = ""]) => flags).toSorted();

const program = createProgram(processTerminal("en", new AbortController().signal), () => undefined);

/** Commands that do something, with those above them: "vakhta config check". */
function commandsOf(command: Command, before: string): { readonly usage: string; readonly command: Command }[] {
  const name = `${before}${command.name()}`;
  if (command.commands.length > 0) return command.commands.flatMap((below) => commandsOf(below, `${name} `));
  const takes = command.registeredArguments.map((argument) =>
    argument.required ? ` <${argument.name()}>` : ` [${argument.name()}]`,
  );
  return [{ usage: `${name}${takes.join("")}`, command }];
}

const commands = commandsOf(program, "");

describe("docs/cli.md", () => {
  it("has a section for every command, with its arguments, and for no other", () => {
    const headings = [...sections.keys()].filter((heading) => heading.startsWith("vakhta "));
    expect(headings.toSorted()).toEqual(commands.map(({ usage }) => usage).toSorted());
  });

  it.each(commands)("says what every option of $usage means, and of no other", ({ usage, command }) => {
    const flags = command.options.map((option) => option.flags);
    expect(documented(sections.get(usage) ?? "")).toEqual(flags.toSorted());
  });

  it("says what the options of all commands mean", () => {
    const flags = [...program.options.map((option) => option.flags), "-h, --help"];
    expect(documented(sections.get("Options of all commands") ?? "")).toEqual(flags.toSorted());
  });

  it("says what every exit status means", () => {
    const statuses = [...(sections.get("Exit status") ?? "").matchAll(/^\| (\d+) \|/gm)].map(([, status]) =>
      Number(status),
    );
    expect(statuses).toEqual([...Object.values(exitCodes), configExitCode].toSorted((a, b) => a - b));
  });
});
