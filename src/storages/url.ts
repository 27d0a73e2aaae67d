import { fileURLToPath } from "node:url";
import { AppError } from "../core/errors.ts";
import { type StorageConfig, storageSchema } from "./index.ts";

const options = ["endpoint", "region", "pathStyle"] as const;
type Option = (typeof options)[number];

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A storage from an address, for a machine without a configuration:
 * `s3://bucket/prefix?endpoint=https://s3.example.org&region=ru-1&pathStyle=true` or `file:///var/backups/vakhta`.
 * Keys come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, else from wherever AWS tools find
 * them; AWS_REGION and AWS_ENDPOINT_URL are defaults. With an endpoint the path style is the default.
 * @throws AppError `config`, never with the address of one that holds keys.
 */
export function parseStorageUrl(text: string, env: Environment): StorageConfig {
  const url = URL.parse(text);
  if (url !== null && (url.username !== "" || url.password !== "")) throw withKeys();
  if (url?.protocol === "file:" && url.host === "" && url.search === "") {
    return storageSchema.parse({ kind: "local", path: fileURLToPath(url) });
  }
  if (url?.protocol !== "s3:" || url.hostname === "") {
    throw new AppError("config", `${text} is not the address of a storage: s3://bucket/prefix or file:///folder`, {
      text: { key: "error-storage-url", args: { url: text } },
    });
  }
  const given = optionsOf(url);
  const endpoint = given.endpoint ?? env["AWS_ENDPOINT_URL_S3"] ?? env["AWS_ENDPOINT_URL"];
  const region = given.region ?? env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"];
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: token } = env;
  const pathStyle = given.pathStyle ?? String(endpoint !== undefined);
  if (!["true", "false"].includes(pathStyle)) throw badValue("pathStyle");
  const result = storageSchema.safeParse({
    kind: "s3",
    bucket: url.hostname,
    prefix: decodeURIComponent(url.pathname).replace(/^\/+/, ""),
    ...(endpoint ? { endpoint } : {}),
    ...(region ? { region } : {}),
    ...(accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : {}),
    ...(accessKeyId && secretAccessKey && token ? { sessionToken: token } : {}),
    forcePathStyle: pathStyle === "true",
  });
  if (result.success) return result.data;
  throw badValue(String(result.error.issues[0]?.path[0] ?? "prefix"));
}

function optionsOf(url: URL): Partial<Record<Option, string>> {
  for (const option of url.searchParams.keys()) {
    if ((options as readonly string[]).includes(option)) continue;
    const known = options.join(", ");
    throw new AppError("config", `${option} is unknown in the address of a storage; known are ${known}`, {
      text: { key: "error-storage-url-option", args: { option, known } },
    });
  }
  return Object.fromEntries(url.searchParams);
}

function withKeys(): AppError {
  return new AppError(
    "config",
    "an address of a storage holds no keys, since others can read it: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    { text: { key: "error-storage-url-keys" } },
  );
}

function badValue(option: string): AppError {
  return new AppError("config", `${option} in the address of a storage is not valid`, {
    text: { key: "error-storage-url-value", args: { option } },
  });
}
