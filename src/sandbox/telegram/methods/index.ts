import { basicMethods } from "./basics.ts";
import { chatMethods } from "./chats.ts";
import { commandMethods } from "./commands.ts";
import { editMethods } from "./edit.ts";
import { sendMethods } from "./send.ts";
import type { Method } from "./types.ts";

const registry = new Map<string, { readonly name: string; readonly run: Method }>();
for (const group of [basicMethods, sendMethods, editMethods, chatMethods, commandMethods]) {
  for (const [name, run] of Object.entries(group)) {
    if (registry.has(name.toLowerCase())) throw new Error(`method ${name} is registered twice`);
    registry.set(name.toLowerCase(), { name, run });
  }
}

/** The method with this name, compared without case as on the real server; undefined when there is none. */
export function findMethod(name: string): { readonly name: string; readonly run: Method } | undefined {
  return registry.get(name.toLowerCase());
}
