import { z } from "zod";
import { roles } from "../../core/roles.ts";
import { missingValue } from "./missing.ts";
import { defaultPorts } from "./schema.ts";
import { statsSchema } from "./servers.ts";

/** A text that is there and can be read here; anything else is undefined, and nothing is concluded from it. */
const text = z
  .string()
  .refine((value) => !value.includes(missingValue))
  .optional()
  .catch(undefined);
const whole = z.int().optional().catch(undefined);

/** A part that has to be a mapping or a list: absent is empty, and what is neither is null. */
const mapping = <T extends z.ZodType>(item: T) => z.record(z.string(), item).default({}).nullable().catch(null);
const list = <T extends z.ZodType>(item: T) => z.array(item).default([]).nullable().catch(null);

const unreadableUser = { id: undefined, name: undefined, role: undefined };
const user = z.object({ id: whole, name: text, role: z.enum(roles).optional().catch(undefined) }).catch(unreadableUser);
const chat = z.object({ id: whole, topics: mapping(z.unknown()) }).catch({ id: undefined, topics: null });
const storage = z
  .object({ kind: text, host: text, path: text, endpoint: text, bucket: text, prefix: text })
  .catch({ kind: undefined });

const source = z.object({
  kind: text,
  paths: list(text),
  exclude: list(text),
  via: z.unknown().optional(),
  endpoint: text,
  bucket: text,
  prefix: text,
  testRestore: z.unknown().optional(),
});

const backup = z
  .object({
    name: text,
    source: source.optional().catch(undefined),
    storages: z.array(text).nullish().catch(null),
    keep: z.record(z.string(), z.unknown()).nullish().catch(null),
    verify: z.object({ storage: text }).nullish().catch(null),
    restore: z
      .object({ stop: list(z.unknown()), start: list(z.unknown()) })
      .nullish()
      .catch(null),
    host: text,
    encrypt: z.boolean().optional().catch(undefined),
    chat: text,
    topic: text,
  })
  .nullable()
  .catch(null);

const place = z.object({ chat: text, topic: text }).nullable().catch(null);

const drill = z
  .object({ backups: z.array(text).optional().catch(undefined), chat: text, topic: text })
  .nullable()
  .catch(null);

const values = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => [value].flat())
  .optional()
  .catch(undefined);
const match = z.record(z.string(), values).default({}).nullable().catch(null);
const route = z.object({ match, chat: text, topic: text }).nullable().catch(null);

const heartbeat = z
  .object({ name: text, key: text, every: z.unknown().optional(), cron: z.unknown().optional() })
  .nullable()
  .catch(null);

const account = z.object({ kind: text }).nullable().catch(null);
const server = z
  .object({ name: text, provider: text, id: z.union([z.string(), z.int()]).optional().catch(undefined), host: text })
  .nullable()
  .catch(null);
const rule = z
  .object({ name: text, when: text, clear: text, servers: list(text) })
  .nullable()
  .catch(null);

const policy = z
  .object({
    approvers: z.int().default(1),
    role: z.enum(roles).optional(),
    requesterCounts: z.boolean().default(true),
  })
  .optional()
  .catch(undefined);

const outlineSchema = z.object({
  http: z
    .object({
      port: z.int().default(defaultPorts.port).catch(0),
      workerPort: z.int().default(defaultPorts.workerPort).catch(0),
      token: z.unknown().optional(),
    })
    .prefault({})
    .catch({ port: 0, workerPort: 0, token: null }),
  telegram: z
    .object({ mode: text, webhook: z.unknown().optional(), users: list(user), chats: mapping(chat) })
    .nullish()
    .catch(null),
  storages: mapping(storage),
  encryption: z.unknown().optional(),
  backups: list(backup),
  approvals: z
    .object({ restore: policy, reboot: policy, databaseBackup: policy, autoBackups: policy })
    .prefault({})
    .catch({}),
  alerts: z
    .object({ routes: list(route) })
    .prefault({})
    .catch({ routes: null }),
  hooks: z.record(z.string(), z.unknown()).optional().catch(undefined),
  heartbeats: list(heartbeat),
  daily: place.optional(),
  drill: drill.optional(),
  providers: mapping(account),
  servers: list(server),
  rules: list(rule),
  // Durations are milliseconds here.
  stats: statsSchema.optional().catch(undefined),
  recovery: z
    .object({ servers: list(text) })
    .nullish()
    .catch(null),
});

/**
 * What the parts of a configuration say of each other, however much of the rest is wrong: so the problems between
 * them are told together with those within them. Whatever cannot be read is null or undefined.
 */
export type Outline = z.output<typeof outlineSchema>;
export type BackupOutline = NonNullable<NonNullable<Outline["backups"]>[number]>;
export type RouteOutline = NonNullable<NonNullable<Outline["alerts"]["routes"]>[number]>;
export type TelegramOutline = NonNullable<Outline["telegram"]>;

export function outlineOf(data: Readonly<Record<string, unknown>>): Outline {
  return outlineSchema.parse(data);
}
