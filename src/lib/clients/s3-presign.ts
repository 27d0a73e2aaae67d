import type { S3 } from "@aws-sdk/client-s3";

type Signer = Awaited<ReturnType<S3["config"]["signer"]>>;
type HttpRequest = Parameters<Signer["sign"]>[0];

/** What the SDK's signer of S3 requests can do besides. */
interface Presigner {
  presign(request: HttpRequest, options: { readonly expiresIn: number }): Promise<HttpRequest>;
}

/** Headers of the client itself; whoever opens the URL does not send them. */
const ownHeaders = ["amz-sdk-invocation-id", "amz-sdk-request", "x-amz-user-agent", "user-agent", "content-type"];

/**
 * A URL for reading an object, valid for so many seconds. The SDK makes the request and its own signer signs it into
 * the address; the request itself is not sent.
 */
export async function presignGet(
  s3: S3,
  object: { readonly Bucket: string; readonly Key: string },
  seconds: number,
): Promise<string> {
  const { GetObjectCommand } = await import("@aws-sdk/client-s3");
  const command = new GetObjectCommand(object);
  let url: string | undefined;
  command.middlewareStack.addRelativeTo(
    () => async (args: { readonly request: unknown }) => {
      const request = args.request as HttpRequest;
      for (const name of ownHeaders) delete request.headers[name];
      request.headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD";
      const signer = await s3.config.signer();
      if (!isPresigner(signer)) throw new Error("the S3 client's signer makes no addresses");
      url = addressOf(await signer.presign(request, { expiresIn: seconds }));
      return { response: {}, output: { $metadata: {} } };
    },
    { relation: "before", toMiddleware: "awsAuthMiddleware", name: "presign", override: true },
  );
  await s3.send(command);
  if (url === undefined) throw new Error("the S3 client signed nothing");
  return url;
}

function isPresigner(signer: object): signer is Presigner {
  return "presign" in signer && typeof signer.presign === "function";
}

function addressOf({ protocol, hostname, port, path, query = {} }: HttpRequest): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value ?? ""]).map((each) => `${encoded(name)}=${encoded(each)}`),
  );
  return `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}${path}?${pairs.join("&")}`;
}

/** As the signature has it: what `encodeURIComponent` leaves as it is, but S3 does not. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
