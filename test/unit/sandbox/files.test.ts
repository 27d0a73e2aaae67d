import { deflateSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { TelegramSandbox } from "../../../src/sandbox/telegram/index.ts";
import { type ApiAnswer, BOT, callApi, SUPERGROUP_ID, testSandbox } from "../../support/sandbox.ts";

/** The head of a PNG of this size: enough for everything that only looks at the size. */
function png(width: number, height: number): Buffer {
  const head = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");
  const size = Buffer.alloc(8);
  size.writeUInt32BE(width, 0);
  size.writeUInt32BE(height, 4);
  return Buffer.concat([head, size, deflateSync(Buffer.alloc(16))]);
}

async function upload(
  sandbox: TelegramSandbox,
  method: string,
  fields: Record<string, string>,
  files: Record<string, [Buffer, string]>,
): Promise<ApiAnswer> {
  const form = new FormData();
  for (const [name, value] of Object.entries({ chat_id: `${SUPERGROUP_ID}`, ...fields })) form.append(name, value);
  for (const [name, [data, fileName]] of Object.entries(files))
    form.append(name, new Blob([new Uint8Array(data)]), fileName);
  const response = await fetch(`${sandbox.apiRoot}/bot${BOT.token}/${method}`, { method: "POST", body: form });
  return { status: response.status, ...((await response.json()) as Omit<ApiAnswer, "status">) };
}

describe("refused", () => {
  test.each<[string, string, Record<string, string>, Record<string, [Buffer, string]>, string]>([
    ["no document", "sendDocument", {}, {}, "there is no document in the request"],
    ["no photo", "sendPhoto", {}, {}, "there is no photo in the request"],
    ["attach to nothing", "sendDocument", { document: "attach://x" }, {}, "there is no document in the request"],
    ["empty file", "sendDocument", {}, { document: [Buffer.alloc(0), "x.txt"] }, "file must be non-empty"],
    [
      "long caption",
      "sendDocument",
      { caption: "x".repeat(1025) },
      { document: [Buffer.from("x"), "x.txt"] },
      "message caption is too long",
    ],
    [
      "broken caption",
      "sendDocument",
      { caption: "<b>", parse_mode: "HTML" },
      { document: [Buffer.from("x"), "x.txt"] },
      `can't parse entities: Can't find end tag corresponding to start tag "b"`,
    ],
    ["a text as photo", "sendPhoto", {}, { photo: [Buffer.from("text"), "x.png"] }, "IMAGE_PROCESS_FAILED"],
    ["a thin photo", "sendPhoto", {}, { photo: [png(10, 300), "x.png"] }, "PHOTO_INVALID_DIMENSIONS"],
    [
      "unknown file id",
      "sendDocument",
      { document: "BQACx" },
      {},
      "wrong remote file identifier specified: Wrong string length",
    ],
    ["a link", "sendDocument", { document: "https://x.org/y" }, {}, "failed to get HTTP URL content"],
  ])("%s", async (_name, method, fields, files, description) => {
    const sandbox = await testSandbox();
    expect(await upload(sandbox, method, fields, files)).toEqual({
      status: 400,
      ok: false,
      error_code: 400,
      description: `Bad Request: ${description}`,
    });
  });

  test("more than 50 MB up, more than 20 MB down", async () => {
    const sandbox = await testSandbox();
    const tooBig = Buffer.alloc(50 * 1024 * 1024 + 1);
    expect(await upload(sandbox, "sendDocument", {}, { document: [tooBig, "x.bin"] })).toMatchObject({
      status: 413,
      error_code: 413,
      description: "Request Entity Too Large",
    });
    const big = await upload(
      sandbox,
      "sendDocument",
      {},
      { document: [tooBig.subarray(0, 20 * 1024 * 1024 + 1), "x.bin"] },
    );
    expect(await callApi(sandbox, "getFile", { file_id: big.result.document.file_id })).toMatchObject({
      status: 400,
      description: "Bad Request: file is too big",
    });
    expect(await callApi(sandbox, "getFile", { file_id: "x" })).toMatchObject({
      status: 400,
      description: "Bad Request: invalid file_id",
    });
  });
});

test("a photo is kept with its size, edited, and replaced by a document", async () => {
  const sandbox = await testSandbox();
  const { result } = await upload(
    sandbox,
    "sendPhoto",
    { photo: "attach://chart", caption: "cpu" },
    { chart: [png(640, 480), "chart.png"] },
  );
  expect(result).toMatchObject({ caption: "cpu", photo: [{ width: 640, height: 480 }] });
  const target = { chat_id: SUPERGROUP_ID, message_id: result.message_id };
  expect(await callApi(sandbox, "editMessageText", { ...target, text: "x" })).toMatchObject({
    description: "Bad Request: there is no text in the message to edit",
  });
  expect(
    (await callApi(sandbox, "editMessageCaption", { ...target, caption: "<b>cpu</b>", parse_mode: "HTML" })).result,
  ).toMatchObject({ caption: "cpu", caption_entities: [{ type: "bold" }] });
  const media = JSON.stringify({ type: "document", media: "attach://log", caption: "see log" });
  const edited = await upload(
    sandbox,
    "editMessageMedia",
    { message_id: `${result.message_id}`, media },
    { log: [Buffer.from("log"), "app.log"] },
  );
  expect(edited.result).toMatchObject({ document: { file_name: "app.log", file_size: 3 }, caption: "see log" });
  expect(edited.result).not.toHaveProperty("photo");
  const bytes = await fetch(`${sandbox.url}/sandbox/files/${edited.result.document.file_id}`);
  expect([bytes.headers.get("content-disposition"), await bytes.text()]).toEqual([
    "attachment; filename*=UTF-8''app.log",
    "log",
  ]);
  expect(sandbox.transcript(SUPERGROUP_ID).at(-1)).toMatchObject({
    kind: "edit",
    text: "see log",
    file: { kind: "document", file_name: "app.log", bytes: 3 },
  });
});
