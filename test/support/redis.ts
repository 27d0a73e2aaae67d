export { type RedisServer, type RedisServerOptions, startRedis } from "../../src/sandbox/servers/redis.ts";
