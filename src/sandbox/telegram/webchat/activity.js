/** "typing…" and the like: what a bot says that it is doing, for as long as Telegram's clients show it. */

/** Without another sign it ends after this long. */
const SHOWN_MS = 5000;
/** @type {Record<string, string>} */
const WORDS = { typing: "typing…", upload_photo: "sending a photo…", upload_document: "sending a file…" };

export class Activity {
  /** @type {Map<number, { text: string, timer: ReturnType<typeof setTimeout> }>} By chat. */
  #now = new Map();
  #onEnd;

  /** @param {() => void} onEnd It has ended by itself. */
  constructor(onEnd) {
    this.#onEnd = onEnd;
  }

  /**
   * @param {number} chatId
   * @returns {string | undefined}
   */
  of(chatId) {
    return this.#now.get(chatId)?.text;
  }

  /**
   * @param {number} chatId
   * @param {string} action As in `sendChatAction`.
   */
  begin(chatId, action) {
    this.end(chatId);
    const timer = setTimeout(() => {
      this.end(chatId);
      this.#onEnd();
    }, SHOWN_MS);
    this.#now.set(chatId, { text: WORDS[action] ?? "busy…", timer });
  }

  /** @param {number} chatId */
  end(chatId) {
    clearTimeout(this.#now.get(chatId)?.timer);
    this.#now.delete(chatId);
  }
}
