import { z } from "zod";

/**
 * What is read of Timeweb's answers. Only named fields pass: the passwords, keys and scripts that stand beside them
 * (`root_pass`, `vnc_pass`, `cloud_init`, `access_key`, `secret_key`, connection strings) end here.
 *
 * Read tolerantly: a word that is new stays a word, a number may come as text, and of what is not needed a wrong type
 * is as good as nothing. An entry of a list that has no id is passed over.
 */
const toNumber = (value: unknown): number | undefined => {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
};

/** Whatever there is; a key that is not there is as good as undefined. */
const anything = z.unknown().optional();
/** A finite number, also as text; anything else is undefined. */
const number = anything.transform(toNumber);
/** A text that is not empty, or undefined. */
const text = anything.transform((value) => (typeof value === "string" && value !== "" ? value : undefined));
const flag = anything.transform((value) => (typeof value === "boolean" ? value : undefined));
/** Numbers and texts both name things. */
const id = z.union([z.string().min(1), z.number()]).transform(String);

/** A time as text, without a zone in UTC, or in seconds or milliseconds since 1970; undefined when it is none. */
export function parseTime(value: unknown): Date | undefined {
  const seconds = toNumber(value);
  if (seconds !== undefined) return checked(new Date(Math.abs(seconds) < 1e11 ? seconds * 1000 : seconds));
  if (typeof value !== "string") return undefined;
  // Databases shorten zones of whole hours.
  const whole = value.replace(/(\d\d:\d\d.*[+-]\d\d)$/, "$1:00");
  const hasZone = /(?:Z|UTC|GMT|[+-]\d\d:?\d\d)$/i.test(whole) || !/\d\d:\d\d/.test(whole);
  return checked(new Date(hasZone ? whole : `${whole}Z`));
}

/** `0000-00-00` and the year 0 stand for "not known". */
const checked = (date: Date) => (date.getTime() > 0 ? date : undefined);
const time = anything.transform(parseTime);

/** A list of which those entries are kept that can be read. */
const list = <T extends z.ZodType>(entry: T) =>
  z.array(z.unknown()).transform((entries) =>
    entries.flatMap((candidate): z.output<T>[] => {
      const read = entry.safeParse(candidate);
      return read.success ? [read.data] : [];
    }),
  );
/** The same where there may be none. */
const listOrNone = <T extends z.ZodType>(entry: T) =>
  anything.transform((value) => (Array.isArray(value) ? list(entry).parse(value) : []));

const meta = z.object({ total: number }).optional().catch(undefined);

const disk = z.object({ id, size: number, used: number, is_system: flag, system_name: text });
const network = z.object({
  type: text,
  ips: listOrNone(z.object({ type: text, ip: z.string().min(1), is_main: flag })),
});

export const serverSchema = z.object({
  id: z.coerce.number().int(),
  name: text,
  status: text,
  os: z.object({ name: text, version: text }).optional().catch(undefined),
  cpu: number,
  /** MB. */
  ram: number,
  /** Sizes in MB. */
  disks: listOrNone(disk),
  networks: listOrNone(network),
  location: text,
  availability_zone: text,
  /** When it was started. */
  start_at: time,
});
export type TimewebServer = z.output<typeof serverSchema>;

export const serversSchema = z.object({ servers: list(serverSchema), meta });
export const oneServerSchema = z.object({ server: serverSchema });

const logged = <T extends z.ZodRawShape>(shape: T) => listOrNone(z.object({ logged_at: time, ...shape }));

/** Form (a): the only one with memory. Load 0 to 1, traffic and disks in MB/s, memory in MB. */
export const statisticsSchema = z.object({
  cpu: logged({ load: number }),
  network_traffic: logged({ incoming: number, outgoing: number }),
  disk: logged({ write: number, read: number }),
  ram: logged({ total: number, used: number, available: number }),
});
export type TimewebStatistics = z.output<typeof statisticsSchema>;

/** Form (b): series by name. */
export const seriesSchema = z.object({
  statistics: list(z.object({ name: z.string(), list: listOrNone(z.object({ value: number, time })) })),
});
export type TimewebSeries = z.output<typeof seriesSchema>;

export const logsSchema = z.object({ server_logs: list(z.object({ id, logged_at: time, event: text })), meta });

const backup = z.object({
  id,
  name: text,
  comment: text,
  created_at: time,
  status: text,
  /** MB. */
  size: number,
  progress: number,
});
export type TimewebBackup = z.output<typeof backup>;
export const backupsSchema = z.object({ backups: list(backup), meta });
/** `null` for databases of several nodes. */
export const newBackupSchema = z.object({ backup: backup.nullable().optional().catch(undefined) });

const database = z.object({
  id,
  name: text,
  type: text,
  status: text,
  /** KB. */
  disk: z.object({ size: number, used: number }).optional().catch(undefined),
  is_autobackups_enabled: flag,
});
export type TimewebDatabase = z.output<typeof database>;
export const databasesSchema = z.object({ dbs: list(database), meta });

export const autoBackupsSchema = z.object({
  auto_backups_settings: z.object({
    is_enabled: flag,
    copy_count: number,
    creation_start_at: text,
    interval: text,
    day_of_week: number,
  }),
});

const bucket = z.object({
  id,
  name: text,
  /** KB. */
  disk_stats: z.object({ size: number, used: number, is_unlimited: flag }).optional().catch(undefined),
  object_amount: number,
  location: text,
});
export type TimewebBucket = z.output<typeof bucket>;
export const bucketsSchema = z.object({ buckets: list(bucket), meta });

export const financesSchema = z.object({
  finances: z.object({ balance: number, currency: text, hourly_cost: number, hours_left: number }),
});
export const domainsSchema = z.object({
  domains: list(z.object({ fqdn: z.string().min(1), expiration: time, days_left: number })),
  meta,
});

/** The body of a refusal. */
export const refusalSchema = z.object({
  error_code: z.string().min(1),
  message: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .catch(undefined),
});
