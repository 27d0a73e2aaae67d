import { isAbsolute } from "node:path";
import { cronSchema, nameSchema } from "../../app/config/common.ts";
import { generateIdentity, isRecipient, recipientOf } from "../../lib/crypto.ts";
import { registerSecret } from "../../lib/redaction.ts";
import { probeRedis } from "../../services/probes/redis.ts";
import { probeSource, probeStorage } from "../../services/probes/stores.ts";
import { sourceSchema } from "../../sources/index.ts";
import { storageSchema } from "../../storages/index.ts";
import { askAndTry, type InitContext, say } from "./context.ts";
import type { Answers, StorageAnswer } from "./files.ts";

const defaultRedisUrl = "redis://127.0.0.1:6379/0";

/** An answer that must not be empty. */
const required = (context: InitContext) => (text: string) =>
  text === "" ? say(context, "config-problem-empty") : undefined;

/** Redis, tried. */
export function askRedis(context: InitContext): Promise<string> {
  const ask = async () => {
    const url = await context.prompter.text({
      message: say(context, "init-redis"),
      initial: defaultRedisUrl,
      validate: (text) => (/^rediss?:\/\/./.test(text) ? undefined : say(context, "config-problem-redis-url")),
    });
    registerPassword(url);
    return url;
  };
  return askAndTry(context, ask, probeRedis);
}

function registerPassword(url: string): void {
  const password = URL.parse(url)?.password;
  if (password) registerSecret(decodeURIComponent(password));
}

/** The first backup: a database, its name, a schedule. */
export async function askBackup(context: InitContext): Promise<Answers["backup"]> {
  const { prompter, logger, clock, signal } = context;
  const parse = (url: string) => sourceSchema.safeParse({ kind: "postgres", url });
  const ask = async () => {
    const url = await prompter.secret({
      message: say(context, "init-database"),
      validate: (text) => {
        const issue = parse(text).error?.issues[0];
        return issue && say(context, issue.message);
      },
    });
    registerPassword(url);
    return url;
  };
  const url = await askAndTry(context, ask, (text) =>
    probeSource(sourceSchema.parse({ kind: "postgres", url: text }), { logger, clock }, signal),
  );
  const database = decodeURIComponent(URL.parse(url)?.pathname.slice(1) ?? "").toLowerCase();
  const proposed = database.replaceAll(/[^a-z0-9_-]/g, "-");
  const name = await prompter.text({
    message: say(context, "init-backup-name"),
    initial: nameSchema.safeParse(proposed).success ? proposed : "app",
    validate: (text) => (nameSchema.safeParse(text).success ? undefined : say(context, "config-problem-name")),
  });
  const never = "-";
  const schedule = await prompter.text({
    message: say(context, "init-schedule"),
    initial: "0 3 * * *",
    validate: (text) =>
      text === never || cronSchema.safeParse(text).success ? undefined : say(context, "config-problem-cron"),
  });
  return { name, url, ...(schedule === never ? {} : { schedule }) };
}

/** One or two storages, each tried. */
export async function askStorages(context: InitContext, host: string): Promise<Answers["storages"]> {
  const choices = (["s3", "local", "both"] as const).map((value) => {
    return { value, label: say(context, `init-storage-${value}`) };
  });
  const chosen = await context.prompter.choose(say(context, "init-storage"), choices, "both");
  const storages: Record<string, StorageAnswer> = {};
  const attempt = (name: string) => (answer: StorageAnswer) =>
    probeStorage(name, storageSchema.parse(answer), { logger: context.logger, host }, context.signal);
  if (chosen !== "s3") storages["local"] = await askAndTry(context, () => askLocal(context), attempt("local"));
  if (chosen !== "local") storages["offsite"] = await askAndTry(context, () => askS3(context), attempt("offsite"));
  return storages;
}

async function askLocal(context: InitContext): Promise<StorageAnswer> {
  const path = await context.prompter.text({
    message: say(context, "init-local-path"),
    initial: "/var/backups/vakhta",
    validate: (text) => (isAbsolute(text) ? undefined : say(context, "init-local-absolute")),
  });
  return { kind: "local", path };
}

async function askS3(context: InitContext): Promise<StorageAnswer> {
  const { prompter } = context;
  const endpoint = await prompter.text({
    message: say(context, "init-s3-endpoint"),
    validate: (text) => (/^https?:\/\/./.test(text) ? undefined : say(context, "config-problem-url")),
  });
  const region = await prompter.text({ message: say(context, "init-s3-region"), initial: "us-east-1" });
  const bucket = await prompter.text({ message: say(context, "init-s3-bucket"), validate: required(context) });
  const prefix = await prompter.text({ message: say(context, "init-s3-prefix"), initial: "vakhta" });
  const accessKeyId = await prompter.secret({ message: say(context, "init-s3-key"), validate: required(context) });
  const secretAccessKey = await prompter.secret({
    message: say(context, "init-s3-secret"),
    validate: required(context),
  });
  registerSecret(accessKeyId);
  registerSecret(secretAccessKey);
  // Amazon's own buckets have host names; other stores often do not.
  const forcePathStyle = !/\.amazonaws\.com(?::|\/|$)/.test(endpoint);
  return { kind: "s3", endpoint, region, bucket, prefix, accessKeyId, secretAccessKey, forcePathStyle };
}

/** Encryption: a new pair of keys, a recipient that is there already, or none. */
export async function askEncryption(context: InitContext): Promise<Answers["encryption"]> {
  const { prompter } = context;
  const choices = (["new", "own", "none"] as const).map((value) => {
    return { value, label: say(context, `init-encryption-${value}`) };
  });
  const chosen = await prompter.choose(say(context, "init-encryption"), choices, "new");
  if (chosen === "none") return undefined;
  if (chosen === "own") {
    const validate = (text: string) => (isRecipient(text) ? undefined : say(context, "config-problem-recipient"));
    return { recipient: await prompter.text({ message: say(context, "init-recipient"), validate }) };
  }
  const identity = await generateIdentity();
  const recipient = await recipientOf(identity);
  prompter.tell(say(context, "init-identity", { identity }), "warning");
  registerSecret(identity);
  const keep = await prompter.confirm(say(context, "init-identity-keep"), false);
  return { recipient, ...(keep ? { identity } : {}) };
}
