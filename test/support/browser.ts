import { existsSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { type Browser, chromium, type Page } from "playwright-core";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A phone in portrait, sharp, and an ordinary window. */
export const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 } as const;
export const DESKTOP = { viewport: { width: 1200, height: 800 } } as const;

/**
 * Starts the machine's Chromium (`CHROMIUM` names another binary); the caller closes it.
 * Throws with the command that installs it when there is none.
 */
export async function launchBrowser(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) {
    throw new Error(`no Chromium at ${CHROMIUM}: run "apt-get install chromium" or set CHROMIUM to its path`);
  }
  return await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
}

/** A page in a context of its own that collects what went wrong in it. */
export interface WatchedPage {
  readonly page: Page;
  /** Uncaught errors, and complaints of the console other than failed requests. */
  readonly errors: readonly string[];
  readonly close: () => Promise<void>;
}

/** Opens an address in a fresh context; waits of its locators are bounded by `timeoutMs` (default 5000). */
export async function openPage(
  browser: Browser,
  url: string,
  options: Parameters<Browser["newContext"]>[0] & { readonly timeoutMs?: number } = PHONE,
): Promise<WatchedPage> {
  const { timeoutMs = 60_000, ...contextOptions } = options;
  const context = await browser.newContext(contextOptions);
  context.setDefaultTimeout(timeoutMs);
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    const failedRequest = message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !failedRequest) errors.push(message.text());
  });
  await page.goto(url);
  return { page, errors, close: () => context.close() };
}

/** A TCP relay to a local port that can be cut: a network that breaks without the server ending. */
export interface Relay {
  readonly url: string;
  /** Cuts every connection and refuses new ones until `mend`. */
  readonly cut: () => void;
  readonly mend: () => void;
  readonly close: () => Promise<void>;
}

/** Starts a relay on a free port to a port of this machine. */
export async function startRelay(targetPort: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  let broken = false;
  const server = createServer((socket) => {
    if (broken) {
      socket.destroy();
      return;
    }
    const upstream = connect(targetPort, "127.0.0.1");
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the relay has no port");
  const cut = (): void => {
    broken = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    cut,
    mend: () => {
      broken = false;
    },
    close: async () => {
      cut();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** A text on the page that is hard to read. */
export interface FaintText {
  readonly text: string;
  readonly where: string;
  readonly ratio: number;
}

/**
 * The visible texts whose contrast with what is behind them is below WCAG's 4.5 : 1, worst first.
 * Left out: avatars (the name stands beside them), what is disabled, and spoilers, which are meant to be unreadable.
 */
export async function faintTexts(page: Page): Promise<FaintText[]> {
  return await page.evaluate<FaintText[]>(CONTRAST);
}

/** Runs in the page, hence as text: the colours of each text and of the first opaque ground behind it, painted one over the other. */
const CONTRAST = `(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const paint = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((value) => value / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const grounds = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      layers.unshift(colour);
      if (paint([colour])[3] === 255) return layers;
    }
    return ["#ffffff", ...layers];
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join(" ").trim();
    if (!text || !element.checkVisibility({ visibilityProperty: true }) || element.closest(".avatar, :disabled, .spoiler:not(.revealed), script")) continue;
    const ground = grounds(element);
    const [a, b] = [luminance(paint([...ground, getComputedStyle(element).color])), luminance(paint(ground))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push({ text: text.slice(0, 40), where: element.className || element.tagName, ratio: Math.round(ratio * 100) / 100 });
  }
  return found.sort((a, b) => a.ratio - b.ratio);
})()`;
