import { fileURLToPath } from "node:url";
import { makePrivateFolder, removeFolder } from "./private-folder.ts";
import { listMultipartUploads, type MultipartUpload } from "./s3-uploads.ts";
import { type ServerProcess, startServerProcess } from "./server-process.ts";

/** A private S3 server on a free port of 127.0.0.1, its objects in a temporary folder. Parts have 11 MiB at most. */
export interface S3Server extends AsyncDisposable {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Any are accepted: signatures are not checked. */
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Where the objects lie as files: `buckets/<bucket>/objects/<key>`. */
  readonly folder: string;
  /** Multipart uploads that were neither completed nor aborted, whatever answered for them. */
  openUploads(): MultipartUpload[];
  /** Ends it, if it runs, and starts it again on the same port with the same objects. */
  restart(): Promise<void>;
  /** Ends it at once, as `kill -9` does; `restart()` brings it back. */
  kill(): Promise<void>;
  /** The server's process: another one after a restart. */
  pid(): number;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/** Starts a private S3 server with one bucket. Throws when it does not start. */
export async function startS3(options: { readonly bucket?: string } = {}): Promise<S3Server> {
  const { bucket = "backups" } = options;
  const folder = await makePrivateFolder("s3");
  const start = (port: number) =>
    startServerProcess({
      command: process.execPath,
      args: [fileURLToPath(new URL("s3-main.ts", import.meta.url)), folder, String(port), bucket],
      cwd: folder,
      ready: /listening on 127\.0\.0\.1:(\d+)/,
      stopSignal: "SIGKILL",
      folder,
    });
  let server: ServerProcess;
  try {
    server = await start(0);
  } catch (error) {
    await removeFolder(folder);
    throw error;
  }
  const port = Number(server.greeting[1]);
  const stop = async () => {
    await server.stop();
    await removeFolder(folder);
  };
  return {
    endpoint: `http://127.0.0.1:${port}`,
    region: "us-east-1",
    bucket,
    accessKeyId: "sandbox",
    secretAccessKey: "sandbox-secret",
    folder,
    openUploads: () => listMultipartUploads(folder),
    async restart() {
      await server.stop();
      server = await start(port);
    },
    kill: () => server.stop("SIGKILL"),
    pid: () => server.pid,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
