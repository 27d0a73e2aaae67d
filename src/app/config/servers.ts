import { z } from "zod";
import { findProviderKind, providerKinds } from "../../providers/index.ts";
import type { ProviderKind } from "../../providers/types.ts";
import { durationBetween, nameSchema } from "./common.ts";
import { describeIssue } from "./describe.ts";
import type { Wrap } from "./missing.ts";
import type { Outline } from "./outline.ts";
import { nearest, type Path, type Problem } from "./problems.ts";

/** An account under `providers:`; `config`: what its kind made of the rest. */
export interface ProviderConfig {
  readonly kind: string;
  readonly config: unknown;
}

/** One of `servers:`. */
export interface ServerConfig {
  readonly name: string;
  /** Its account under `providers:`, or a kind that needs none. */
  readonly provider: string;
  readonly kind: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The host whose worker has to look, of kinds that are looked at from there; undefined: the only worker's. */
  readonly host?: string | undefined;
  /** What its kind made of the rest of the entry. */
  readonly config: unknown;
}

/** Whatever the file says, before it is looked at. */
type Written = Readonly<Record<string, unknown>>;

/** Polls are spread over their interval: with more than these, the work of one process would be too much for it. */
const mostServers = 2000;

const kindField = z
  .literal(providerKinds.length > 0 ? [...providerKinds] : [""])
  .optional()
  .describe("Kind of the provider. Default: the name of the account.");

/** Also in labels of metrics, whose names have only these letters. What we say ourselves of a server is taken. */
const labelName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, { error: "config-problem-label" })
  .refine((name) => !takenLabels.has(name) && !name.startsWith("__"), { error: "config-problem-label-taken" });
const takenLabels = new Set(["server", "severity", "source", "provider", "rule", "role", "job", "instance"]);

const serverName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, { error: "config-problem-server-name" });

const serverFields = {
  name: serverName.describe("Name of the server, in the chat and in the history of its values."),
  provider: z
    .string()
    .min(1)
    .describe("The account that it belongs to, by its name under `providers`; or a kind that needs no account."),
  labels: z.record(labelName, z.string().max(200)).default({}).describe("For rules, routes, silences and metrics."),
};

const kinds = (): ProviderKind[] => providerKinds.flatMap((kind) => findProviderKind(kind) ?? []);

/** `sentence` for a problem of the key itself. */
const atKey = (key: string): string => JSON.stringify({ key, args: {}, atKey: true });
const sentence = (key: string, args: Problem["args"]): string => JSON.stringify({ key, args });

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Hands on what a part's own schema says of it. */
function pass(context: z.core.$RefinementCtx, path: Path, { issues }: z.ZodError): void {
  for (const { message, path: inner } of issues)
    context.issues.push({ code: "custom", message, path: [...path, ...inner], input: undefined });
}

/** `providers:` as the editor knows it: what is not said there by `kind` follows from the name. */
const anyAccount = () => {
  const accounts = kinds().flatMap(({ kind, accountSchema }) =>
    accountSchema instanceof z.ZodObject
      ? accountSchema.safeExtend({ kind: z.literal(kind).optional().describe("Default: the name of the account.") })
      : [],
  );
  return z.union([...accounts, z.strictObject({ kind: kindField })]);
};

/** `providers:`. `isChecked`: for a file that is read; else for its editor. */
export const providersSchema = (wrap: Wrap, isChecked: boolean) => {
  const checked = z.record(z.string(), z.unknown()).transform((accounts, context) => {
    const read = Object.entries(accounts).map(([name, settings]) => checkedAccount(wrap, name, settings, context));
    return Object.fromEntries(read.flatMap((account) => (account ? [account] : [])));
  });
  // What is read is the checked one's; both describe the same settings.
  return (isChecked ? checked : z.record(nameSchema, anyAccount())) as unknown as z.ZodType<
    Record<string, ProviderConfig>
  >;
};

function checkedAccount(
  wrap: Wrap,
  name: string,
  settings: unknown,
  context: z.core.$RefinementCtx,
): [string, ProviderConfig] | undefined {
  const report = (path: Path, message: string): void =>
    void context.issues.push({ code: "custom", message, path: [...path], input: undefined });
  if (!nameSchema.safeParse(name).success) report([name], atKey("config-problem-name"));
  const kind = findProviderKind(kindOf(name, settings));
  if (!kind) {
    const isNamed = isRecord(settings) && settings["kind"] !== undefined;
    const values = providerKinds.join(", ");
    report(isNamed ? [name, "kind"] : [name], sentence("config-problem-provider-kind", { values }));
    return undefined;
  }
  const { kind: _, ...own } = isRecord(settings) ? settings : {};
  const schema = wrap(kind.accountSchema ?? z.strictObject({}));
  const read = schema.safeParse(isRecord(settings) ? own : (settings ?? {}), { error: describeIssue });
  if (read.success) return [name, { kind: kind.kind, config: read.data }];
  pass(context, [name], read.error);
  return undefined;
}

function kindOf(name: string, settings: unknown): string {
  const kind = isRecord(settings) ? settings["kind"] : undefined;
  return typeof kind === "string" ? kind : name;
}

/** Which kind a server's `provider` means: that of the account of this name, else the kind itself. */
function kindOfProvider(provider: unknown, written: Written): ProviderKind | undefined {
  if (typeof provider !== "string") return undefined;
  const accounts = isRecord(written["providers"]) ? written["providers"] : {};
  if (Object.hasOwn(accounts, provider)) return findProviderKind(kindOf(provider, accounts[provider]));
  const kind = findProviderKind(provider);
  return kind?.accountSchema ? undefined : kind;
}

/** What may stand in `provider`. */
function knownProviders(written: Written): string[] {
  const accounts = isRecord(written["providers"]) ? Object.keys(written["providers"]) : [];
  const free = kinds().flatMap(({ kind, accountSchema }) => (accountSchema ? [] : kind));
  return [...new Set([...accounts, ...free])];
}

/** `servers:`. `written`: the file that is read; undefined for its editor. */
export const serversSchema = (wrap: Wrap, written: Written | undefined) => {
  const one = written ? checkedServer(wrap, written) : z.union([...anyServer()]);
  return z.array(one).max(mostServers).default([]) as unknown as z.ZodType<ServerConfig[]>;
};

function anyServer(): [z.ZodObject, ...z.ZodObject[]] {
  const all = kinds().map(({ serverSchema }) => serverSchema.safeExtend(serverFields).strict());
  const [first = z.looseObject(serverFields), ...rest] = all;
  return [first, ...rest];
}

function checkedServer(wrap: Wrap, written: Written) {
  return z.unknown().transform((entry, context): unknown => {
    const provider = isRecord(entry) ? entry["provider"] : undefined;
    const kind = kindOfProvider(provider, written);
    const schema = kind ? kind.serverSchema.safeExtend(serverFields).strict() : z.looseObject(serverFields);
    const read = wrap(schema).safeParse(entry, { error: describeIssue });
    if (!read.success) pass(context, [], read.error);
    if (!kind && typeof provider === "string" && provider !== "") reportProvider(provider, written, context);
    if (!read.success || !kind || !isRecord(read.data)) return z.NEVER;
    const { name, provider: account, labels = {}, ...config } = read.data;
    const host = kind.onHost && typeof config["host"] === "string" ? { host: config["host"] } : {};
    return { name, provider: account, kind: kind.kind, labels, ...host, config };
  });
}

/** An account that is there and of no kind that is known is told where it stands. */
function reportProvider(provider: string, written: Written, context: z.core.$RefinementCtx): void {
  const known = knownProviders(written);
  if (known.includes(provider)) return;
  const needsAccount = findProviderKind(provider) !== undefined;
  const message = needsAccount
    ? sentence("config-problem-no-account", { name: provider })
    : sentence("config-problem-no-provider", { known: nearest(provider, known) ?? (known.join(", ") || "-") });
  context.issues.push({ code: "custom", message, path: ["provider"], input: undefined });
}

/** `stats:`. Durations in milliseconds. */
export const statsSchema = z.strictObject({
  every: durationBetween("1m", "1h").prefault("5m").describe("How often each server is looked at."),
  keep: z
    .strictObject({
      raw: durationBetween("1d", "31d").prefault("7d").describe("Every value."),
      hourly: durationBetween("7d", "1100d")
        .prefault("400d")
        .describe("The least, the mean and the greatest value of each hour."),
    })
    .prefault({})
    .describe("How long measurements are kept."),
});

type Report = (path: Path, key: string, args?: Problem["args"]) => void;

/** Servers that stand there twice. What cannot be read repeats nothing. */
export function checkServers({ servers, providers }: Outline, report: Report): void {
  const names = new Set<string>();
  const known: [Place, string][] = [];
  for (const [index, server] of (servers ?? []).entries()) {
    if (!server) continue;
    const name = server.name?.toLowerCase();
    if (name !== undefined && names.size === names.add(name).size)
      report(["servers", index, "name"], "config-problem-duplicate-name");
    const place = placeOf(server, providers?.[server.provider ?? ""]?.kind);
    if (!place) continue;
    const [, other] = known.find(([before]) => isSame(before, place)) ?? [];
    if (other === undefined) known.push([place, server.name ?? `servers[${index}]`]);
    else report(["servers", index, place.key], "config-problem-same-server", { server: other });
  }
}

/** What makes an entry that very server. */
interface Place {
  readonly key: "id" | "host";
  /** The account. */
  readonly of: string;
  readonly value: string | undefined;
}

function placeOf(server: NonNullable<NonNullable<Outline["servers"]>[number]>, named?: string): Place | undefined {
  const { provider, id, host } = server;
  if (provider === undefined) return undefined;
  const kind = findProviderKind(named ?? provider);
  if (kind?.onHost) return { key: "host", of: "", value: host };
  return id === undefined ? undefined : { key: "id", of: provider, value: String(id) };
}

/** Without a host it is that of the only worker: then there can be no other one. */
function isSame(a: Place, b: Place): boolean {
  if (a.key !== b.key || a.of !== b.of) return false;
  return a.value === b.value || (a.key === "host" && (a.value === undefined || b.value === undefined));
}
