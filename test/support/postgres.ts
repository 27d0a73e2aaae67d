export { type PostgresServer, type PostgresServerOptions, startPostgres } from "../../src/sandbox/servers/postgres.ts";
