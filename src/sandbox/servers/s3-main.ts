/**
 * The S3 server's own process: fauxqs on 127.0.0.1, its objects as files, completed by what it lacks.
 *
 *   node s3-main.ts <folder> <port, 0 for a free one> <bucket>
 */
import { type IncomingMessage, type RequestListener, Server, type ServerResponse } from "node:http";
import { flushCompileCache } from "node:module";
import { type ListenOptions, Server as TcpServer } from "node:net";
import { startFauxqs } from "fauxqs";
import { listMultipartUploads, type MultipartUpload } from "./s3-uploads.ts";

const [folder, port, bucket] = process.argv.slice(2);
if (!folder || !port || !bucket) throw new Error("usage: s3-main.ts <folder> <port> <bucket>");

const escapeXml = (value: string) => value.replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`);

function renderUploads(name: string, prefix: string, uploads: readonly MultipartUpload[]): string {
  const entries = uploads.map(
    ({ key, uploadId, initiated }) =>
      `<Upload><Key>${escapeXml(key)}</Key><UploadId>${escapeXml(uploadId)}</UploadId>` +
      `<StorageClass>STANDARD</StorageClass><Initiated>${initiated.toISOString()}</Initiated></Upload>`,
  );
  return (
    '<?xml version="1.0" encoding="UTF-8"?><ListMultipartUploadsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
    `<Bucket>${escapeXml(name)}</Bucket><Prefix>${escapeXml(prefix)}</Prefix><MaxUploads>1000</MaxUploads>` +
    `<IsTruncated>false</IsTruncated>${entries.join("")}</ListMultipartUploadsResult>`
  );
}

/** Answers `GET /<bucket>?uploads`, which fauxqs takes for a list of objects; false when it is something else. */
function answerListOfUploads(request: IncomingMessage, response: ServerResponse): boolean {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  const name = decodeURIComponent(pathname.replace(/^\/|\/$/g, ""));
  if (request.method !== "GET" || !searchParams.has("uploads") || name === "" || name.includes("/")) return false;
  const prefix = searchParams.get("prefix") ?? "";
  const uploads = listMultipartUploads(folder as string).filter(
    (one) => one.bucket === name && one.key.startsWith(prefix),
  );
  response.writeHead(200, { "content-type": "application/xml" }).end(renderUploads(name, prefix, uploads));
  return true;
}

// fauxqs listens on all interfaces, takes any credentials and offers no choice: nobody else's machine may reach this one.
Server.prototype.listen = function listenLocally(this: Server, options: unknown, ...rest: unknown[]) {
  const handlers = this.listeners("request") as RequestListener[];
  this.removeAllListeners("request");
  this.on("request", (request: IncomingMessage, response: ServerResponse) => {
    if (answerListOfUploads(request, response)) return;
    for (const handle of handlers) handle(request, response);
  });
  const local = typeof options === "object" ? { ...options, host: "127.0.0.1" } : options;
  return TcpServer.prototype.listen.call(this, local as ListenOptions, ...(rest as [() => void]));
} as Server["listen"];

const server = await startFauxqs({
  port: Number(port),
  logger: false,
  s3StorageDir: folder,
  init: { buckets: [bucket] },
});
process.stdout.write(`listening on 127.0.0.1:${server.port}\n`);
// It ends by being killed, which keeps nothing of what was compiled; without NODE_COMPILE_CACHE this does nothing.
flushCompileCache();
