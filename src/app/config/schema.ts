import { isIP } from "node:net";
import { z } from "zod";
import { roles } from "../../core/roles.ts";
import { identityLines, isIdentity, isRecipient } from "../../lib/age-keys.ts";
import { durationSchema } from "../../lib/units.ts";
import { locales } from "../../messages/index.ts";
import { alertsSchema, dailySchema, heartbeatSchema, ownHeartbeatSchema } from "./alerts.ts";
import { approvalsSchema } from "./approvals.ts";
import { backupSchema } from "./backups.ts";
import { nameSchema, timezoneSchema, urlSchema } from "./common.ts";
import { drillSchema } from "./drill.ts";
import { hooksSchema, storageSchema } from "./families.ts";
import type { Wrap } from "./missing.ts";
import { recoverySchema, rulesSchema } from "./rules.ts";
import { providersSchema, serversSchema, statsSchema } from "./servers.ts";

/** A key of the design whose feature comes later: accepted as written, reported as a warning. */
const later = (text: string) => z.unknown().describe(`${text} Known, but not acted upon by this version.`).optional();

const localeSchema = z.enum(locales);
const port = z.int().min(0).max(65_535);

/** Of the bot and of the worker. */
export const defaultPorts = { port: 8080, workerPort: 8081 } as const;

const httpSchema = (wrap: Wrap) =>
  z.strictObject({
    host: z.string().min(1).default("127.0.0.1").describe("Address that the bot and the worker listen on."),
    port: port.default(defaultPorts.port).describe("Port of the bot: /healthz, /readyz, /metrics, the webhook."),
    workerPort: port.default(defaultPorts.workerPort).describe("Port of the worker: /healthz, /readyz, /metrics."),
    token: wrap(z.string().min(16, { error: "config-problem-http-token" }))
      .optional()
      .describe(
        "Token for /metrics and /hooks; a hook with a valid signature needs none, /ping and /telegram have secrets of their own. Without it /metrics is open, and only signed hooks get in.",
      ),
    trustProxy: z
      .array(z.string().refine(isProxy, { error: "config-problem-proxy" }))
      .default(["loopback"])
      .describe("Proxies whose X-Forwarded-For says where a request comes from: addresses, networks, loopback."),
  });

/** As Fastify's `trustProxy` takes them. */
function isProxy(text: string): boolean {
  if (["loopback", "linklocal", "uniquelocal"].includes(text)) return true;
  const [address = "", bits, ...more] = text.split("/");
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return more.length === 0 && most > 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most));
}

const redisSchema = (wrap: Wrap) =>
  z.strictObject({
    url: wrap(urlSchema(["redis:", "rediss:"], "config-problem-redis-url"))
      .default("redis://127.0.0.1:6379/0")
      .describe("redis://[user:password@]host:port/database, or rediss:// for TLS. Needs maxmemory-policy noeviction."),
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9_{}-]+$/, { error: "config-problem-redis-prefix" })
      .default("vakhta")
      .describe("Begins every key, so that several installations can share one Redis."),
  });

const chatSchema = z.strictObject({
  id: z
    .int()
    .refine((id) => id !== 0)
    .describe("The chat's id; groups are negative."),
  topics: z
    .record(nameSchema, z.int().positive())
    .default({})
    .describe("Names for the topics of a forum group: the message thread ids."),
  locale: localeSchema.optional().describe("Language of the cards in this chat. Default: the top-level locale."),
});

/** Accounts that speak for anybody: anonymous group admins, channels, Telegram itself. */
const nobody = new Set([1087968824, 136817688, 777000]);

const userSchema = z.strictObject({
  id: z
    .int()
    .positive()
    .refine((id) => !nobody.has(id), { error: "config-problem-nobody" })
    .describe("The person's Telegram user id; `vakhta init` finds it out."),
  name: z.string().trim().min(1).max(64).describe("How the person is called on cards and in the audit log."),
  role: z.enum(roles).describe("viewer sees, operator orders backups, admin may do everything."),
  locale: localeSchema.optional().describe("Language of the replies to this person."),
});

const webhookSchema = (wrap: Wrap) =>
  z.strictObject({
    url: wrap(z.string().refine(isWebhookUrl, { error: "config-problem-webhook-url" })).describe(
      "Public https address of this bot's /telegram; port 443, 80, 88 or 8443.",
    ),
    secretToken: wrap(z.string().regex(/^[A-Za-z0-9_-]{1,256}$/, { error: "config-problem-secret-token" })).describe(
      "Telegram sends it in a header, so that nobody else can post updates.",
    ),
  });

function isWebhookUrl(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === "https:" && ["", "80", "88", "443", "8443"].includes(url.port);
}

const telegramSchema = (wrap: Wrap) =>
  z.strictObject({
    token: wrap(z.string().regex(/^\d+:[A-Za-z0-9_-]+$/, { error: "config-problem-bot-token" })).describe(
      "The bot's token, from @BotFather.",
    ),
    apiRoot: urlSchema(["https:", "http:"], "config-problem-url")
      .transform((url) => url.replace(/\/+$/, ""))
      .default("https://api.telegram.org")
      .describe("Telegram's own server, or a self-hosted Bot API server."),
    mode: z.enum(["polling", "webhook"]).default("polling").describe("How updates arrive."),
    webhook: webhookSchema(wrap).optional().describe("For mode webhook."),
    chats: z
      .record(nameSchema, chatSchema)
      .default({})
      .describe("Chats that the bot speaks in; the first is the default."),
    users: z.array(userSchema).default([]).describe("Who may do what. Everybody else gets no answer."),
  });

const recipientSchema = z.string().superRefine((text, context) => {
  if (/^AGE-SECRET-KEY-/i.test(text)) context.addIssue("config-problem-recipient-is-identity");
  else if (!isRecipient(text)) context.addIssue("config-problem-recipient");
});

const identitySchema = z
  .string()
  .superRefine((text, context) => {
    const lines = identityLines(text);
    if (lines.length === 0 || !lines.every(isIdentity)) context.addIssue("config-problem-identity");
  })
  .transform(identityLines);

const encryptionSchema = (wrap: Wrap) =>
  z.strictObject({
    recipients: wrap(z.array(recipientSchema).min(1)).describe("age recipients (age1...): each of them can decrypt."),
    identity: wrap(identitySchema)
      .optional()
      .describe(
        "The age identity (AGE-SECRET-KEY-1...), or several, one a line, as keygen writes it. Only reading backups needs it; making them does not.",
      ),
  });

/** Top-level keys whose features come later. */
export const laterKeys = ["checks"] as const;

/**
 * The whole configuration. `written`: the file that is validated, whose parts say of what kind others are; undefined: any.
 * `wrap` is put around everything that may hold a secret: `tolerant` when a configuration
 * is loaded by a process that has not all of them, `exact` for the editor's JSON Schema.
 */
export const configSchema = (wrap: Wrap, written?: Readonly<Record<string, unknown>>) =>
  z.strictObject({
    timezone: timezoneSchema.default("UTC").describe("IANA time zone of schedules and of the times that are shown."),
    locale: localeSchema.default("en").describe("Language of cards and command line."),
    redis: redisSchema(wrap).prefault({}).describe("State, queues and leases."),
    http: httpSchema(wrap).prefault({}).describe("Health, metrics and webhooks."),
    telegram: wrap(telegramSchema(wrap), "drop").optional().describe("The bot, its chats and its people."),
    worker: z
      .strictObject({
        host: z
          .string()
          .min(1)
          .optional()
          .describe("Name of this worker's host. Default: WORKER_HOST, else the host name."),
        concurrency: z.int().min(1).max(64).default(2).describe("Jobs at a time."),
        lease: durationSchema()
          .pipe(z.int().min(2000, { error: "config-problem-lease" }))
          .prefault("30s")
          .describe(
            "How long a worker that has gone silent keeps its work before another one takes it over. One that was killed and starts again on the same machine goes on at once.",
          ),
      })
      .prefault({})
      .describe("The process that makes backups."),
    storages: z.record(nameSchema, wrap(storageSchema)).default({}).describe("Places for backups, by name."),
    encryption: encryptionSchema(wrap).optional().describe("age encryption of the copies."),
    backups: z.array(backupSchema(wrap)).default([]).describe("What is backed up, when and where to."),
    log: z
      .strictObject({ level: z.enum(["trace", "debug", "info", "warn", "error", "fatal"]).default("info") })
      .prefault({})
      .describe("JSON lines on standard output."),
    approvals: approvalsSchema.prefault({}).describe("Who has to agree to dangerous orders."),
    providers: providersSchema(wrap, written !== undefined)
      .default({})
      .describe("Accounts of server providers, by name."),
    servers: serversSchema(wrap, written).describe("Servers that are watched."),
    stats: statsSchema.prefault({}).describe("How often servers are looked at, and how long what they say is kept."),
    rules: rulesSchema.describe("What of their measurements is an incident."),
    alerts: alertsSchema.prefault({}).describe("Incidents: where they go, and what becomes of them."),
    hooks: wrap(hooksSchema).prefault({}).describe("Webhooks that bring alerts from elsewhere."),
    heartbeats: z.array(heartbeatSchema(wrap)).default([]).describe("Signs of life that are expected from elsewhere."),
    heartbeat: ownHeartbeatSchema(wrap).optional().describe("A sign of life that is sent outside."),
    daily: dailySchema.prefault({}).describe("A card every day that says in five lines how things stand. false: none."),
    drill: drillSchema
      .optional()
      .describe("Every backup is restored into a private server from its newest copy elsewhere. Default: never."),
    checks: later("Checks of services."),
    recovery: recoverySchema.prefault({}).describe("Servers that do not answer."),
  });

export type ParsedConfig = z.output<ReturnType<typeof configSchema>>;
export type ParsedBackupConfig = ParsedConfig["backups"][number];
export type TelegramConfig = NonNullable<ParsedConfig["telegram"]>;
export type EncryptionConfig = NonNullable<ParsedConfig["encryption"]>;
export type SourceConfig = ParsedBackupConfig["source"];
export type StorageConfig = ParsedConfig["storages"][string];
export type HeartbeatConfig = ParsedConfig["heartbeats"][number];
