export { type S3Server, startS3 } from "../../src/sandbox/servers/s3.ts";
export { type S3Fault, type S3FaultScope, type S3Proxy, startS3Proxy } from "../../src/sandbox/servers/s3-proxy.ts";
