import type { FastifyPluginAsync } from "fastify";
import type { Registry } from "prom-client";
import { sameSecret } from "../auth.ts";

/** `/metrics` in Prometheus' text format; with a token only for those who send it. */
export function metricsRoutes(registry: Registry, token: string | undefined): FastifyPluginAsync {
  return async (server) => {
    server.get("/metrics", async (request, reply) => {
      const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
      if (token !== undefined && !sameSecret(given, token))
        return await reply.status(401).header("www-authenticate", "Bearer").send({ error: "a bearer token is needed" });
      return await reply.header("content-type", registry.contentType).send(await registry.metrics());
    });
  };
}
