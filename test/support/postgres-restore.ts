import { join } from "node:path";
import { Readable } from "node:stream";
import type { Manifest } from "../../src/core/manifest.ts";
import { runBackup } from "../../src/services/backup/pipeline.ts";
import { openBackup } from "../../src/services/backup/reader.ts";
import { kindOf, sourceSchema } from "../../src/sources/index.ts";
import type { BackupReader, RestoreReport, RestoreTarget, Scratch } from "../../src/sources/types.ts";
import type { Storage } from "../../src/storages/types.ts";
import { orderOf, quiet, sourceOf, storageOf } from "./backup.ts";

/** A backup that was made by the whole pipeline into a local storage. */
export interface MadeBackup {
  readonly manifest: Manifest;
  readonly storage: Storage;
  readonly reader: BackupReader;
}

/** Backs a source up into a local storage below `folder`. */
export async function backUp(
  config: object,
  folder: string,
  options: { readonly recipients?: readonly string[]; readonly identity?: string; readonly runId?: string } = {},
): Promise<MadeBackup> {
  const storage = storageOf("local", { kind: "local", path: join(folder, "store") });
  const { recipients = [], runId = "run1" } = options;
  const order = orderOf({ source: sourceOf(config), storages: [storage], recipients, runId });
  const { manifest } = await runBackup(order);
  return { manifest, storage, reader: openBackup(storage, manifest, { identity: options.identity }) };
}

/**
 * Reads a backup; of the times that its artifact is opened, one (from 1 on) finds that of another backup there, and comes
 * in small pieces: less of it is read ahead than of the others.
 */
export function readingAnother(
  { reader }: MadeBackup,
  another: MadeBackup,
  time: number,
): { readonly reader: BackupReader; readonly opened: () => number } {
  let opened = 0;
  const open: BackupReader["open"] = async (part) => {
    if (part.role !== "artifact") return await reader.open(part);
    opened += 1;
    const other = another.manifest.parts.find(({ role }) => role === "artifact");
    if (opened !== time || !other) return await reader.open(part);
    return Readable.from(inPieces(await another.reader.open(other)), { objectMode: false, highWaterMark: 1 });
  };
  return { reader: { ...reader, open }, opened: () => opened };
}

async function* inPieces(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of stream) for (let at = 0; at < chunk.length; at += 1024) yield chunk.subarray(at, at + 1024);
}

export async function restoreTo(
  reader: BackupReader,
  to: string,
  options: Partial<RestoreTarget> = {},
  config?: object,
): Promise<RestoreReport> {
  const kind = kindOf("postgres");
  if (kind.restore === undefined) throw new Error("this kind does not restore");
  const target = { to, signal: new AbortController().signal, logger: quiet, ...options };
  return await kind.restore(reader, target, config && sourceSchema.parse(config));
}

export async function testRestoreIn(
  reader: BackupReader,
  folder: string,
  options: Partial<Scratch> = {},
  config?: object,
): Promise<RestoreReport> {
  const kind = kindOf("postgres");
  if (kind.testRestore === undefined) throw new Error("this kind does not test-restore");
  const signal = new AbortController().signal;
  const scratch = { folder, id: "t1", signal, logger: quiet, ...options };
  return await kind.testRestore(reader, scratch, config && sourceSchema.parse(config));
}

/** Everything that a schema can have and that has been lost by some tool. */
export const richSchema = `
CREATE ROLE app_owner; CREATE ROLE app_reader LOGIN PASSWORD 'hunter2-hunter2'; GRANT app_owner TO app_reader;
CREATE EXTENSION pg_trgm; CREATE EXTENSION hstore;
CREATE SCHEMA app AUTHORIZATION app_owner;
CREATE TYPE app.state AS ENUM ('new', 'paid'); CREATE DOMAIN app.positive AS int CHECK (VALUE > 0);
CREATE TABLE app.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state app.state NOT NULL DEFAULT 'new',
  kind varchar(20) CHECK (kind IN ('a', 'b')), net numeric, gross numeric GENERATED ALWAYS AS (net * 1.2) STORED, tags hstore);
INSERT INTO app.orders (kind, net) SELECT 'a', g FROM generate_series(1, 1000) g;
ALTER TABLE app.orders OWNER TO app_owner; GRANT SELECT ON app.orders TO app_reader;
ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY; ALTER TABLE app.orders FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON app.orders TO app_reader USING (kind = 'a');
CREATE INDEX orders_kind ON app.orders USING gin (kind gin_trgm_ops);
CREATE TABLE app.events (at timestamptz NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE app.events_2025 PARTITION OF app.events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE app.events_2026 PARTITION OF app.events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO app.events SELECT '2025-06-01'::timestamptz + g * '1 day'::interval, 'x' FROM generate_series(1, 500) g;
CREATE MATERIALIZED VIEW app.totals AS SELECT kind, sum(net) FROM app.orders GROUP BY kind;
CREATE VIEW app.named AS SELECT id, kind FROM app.orders WHERE kind IN ('a', 'b');
CREATE SEQUENCE app.numbers START 41; SELECT nextval('app.numbers');
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.net := NEW.net; RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE TABLE "Odd ""name""; -- x" ("Ünï" text); INSERT INTO "Odd ""name""; -- x" VALUES ('ю'), (E'a\\nb');
CREATE TABLE empty_one (id int); CREATE UNLOGGED TABLE fast (id int); INSERT INTO fast VALUES (1);
COMMENT ON TABLE app.orders IS 'what people bought; Type: TABLE';
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO app_reader;
SELECT lo_from_bytea(0, 'one'), lo_from_bytea(0, 'two');
`;
