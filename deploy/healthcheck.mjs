// Ends with 0 when the process says that it is alive and with 1 otherwise. It asks for liveness, not for readiness: a bot
// that waits for Redis must not be restarted for it.
const url = process.env.HEALTH_URL ?? "http://127.0.0.1:8080/healthz";
const response = await fetch(url, { signal: AbortSignal.timeout(4000) }).catch((error) => {
  console.error(`${url}: ${error.cause?.message ?? error.message}`);
});
if (response && !response.ok) console.error(`${url}: ${response.status}`);
process.exitCode = response?.ok ? 0 : 1;
