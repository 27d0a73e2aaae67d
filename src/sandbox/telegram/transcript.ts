import type { TranscriptEntry } from "./api.ts";
import type { Store } from "./store.ts";

/** A transcript as text for people: one line per event, buttons below their message. */
export function transcriptText(store: Store, entries: readonly TranscriptEntry[]): string {
  return entries.map((entry) => `${head(store, entry)}${body(entry)}\n`).join("");
}

function head(store: Store, entry: TranscriptEntry): string {
  const record = [...store.chats.values()].find(({ chat }) => chat.id === entry.chat_id);
  const title = record?.chat.title ?? "private";
  const topic =
    entry.message_thread_id === undefined
      ? ""
      : ` #${record?.topics.get(entry.message_thread_id)?.name ?? entry.message_thread_id}`;
  return `[${entry.at.slice(0, 19).replace("T", " ")}] ${title}${topic} | ${entry.by} `;
}

function body(entry: TranscriptEntry): string {
  switch (entry.kind) {
    case "delete":
      return `deletes message ${entry.message_id ?? "?"}`;
    case "press":
      return `presses [${entry.button}] under message ${entry.message_id ?? "?"}`;
    case "toast":
      return `${entry.alert ? "alerts" : "shows"}: ${entry.text}`;
    case "message":
    case "edit": {
      const verb =
        entry.kind === "edit" ? `edits message ${entry.message_id ?? "?"}` : `(message ${entry.message_id ?? "?"})`;
      const file = entry.file
        ? ` <${entry.file.kind}${entry.file.file_name === undefined ? "" : ` ${entry.file.file_name}`}, ${entry.file.bytes} bytes>`
        : "";
      const buttons = (entry.buttons ?? [])
        .map((row) => `\n    ${row.map((button) => `[${button.text}]`).join(" ")}`)
        .join("");
      return `${verb}:${file} ${entry.text.replaceAll("\n", "\n    ")}${buttons}`;
    }
  }
}
