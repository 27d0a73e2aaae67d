/** The user of a `tg://user?id=` link, undefined for any other. */
export function userIdOfLink(url: string): number | undefined {
  const id = /^tg:(?:\/\/)?user\/?\?(?:.*&)?id=(\d{1,15})(?:&|$)/i.exec(url.trim())?.[1];
  return id === undefined ? undefined : Number(id);
}

/** Why Telegram refuses a link, in its own words, or the link as it keeps it. */
export type LinkCheck = { readonly ok: true; readonly url: string } | { readonly ok: false; readonly why: string };

/** Telegram's check of links in buttons and entities: http, https and tg only, with a host that can exist. */
export function checkLink(url: string): LinkCheck {
  const text = url.trim();
  if (text === "") return { ok: false, why: `URL '' is invalid: URL host is empty` };
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === "tg" || scheme === "ton") return { ok: true, url: text };
  if (scheme !== undefined && scheme !== "http" && scheme !== "https") {
    return { ok: false, why: `URL '${url}' is invalid: Unsupported URL protocol` };
  }
  const parsed = URL.parse(scheme === undefined ? `http://${text}` : text);
  if (!parsed) return { ok: false, why: `URL '${url}' is invalid: Wrong HTTP URL` };
  // Telegram takes only hosts with a dot: "localhost" is refused, an IP address is not
  if (!parsed.hostname.includes(".") && !parsed.hostname.startsWith("[")) {
    return { ok: false, why: `URL '${url}' is invalid: Wrong HTTP URL` };
  }
  return { ok: true, url: /^https?:\/\/[^/?#]+$/i.test(parsed.href) ? `${parsed.href}/` : parsed.href };
}

/** The link as Telegram keeps it in an entity; undefined when it is dropped silently (parse modes do that). */
export function webLink(url: string): string | undefined {
  const check = checkLink(url);
  return check.ok ? check.url : undefined;
}
