import type { Notice } from "../../services/notices.ts";
import type { CardKind } from "./types.ts";

/** A line for people that has no life of its own: a chat that refuses us, a clock that is wrong. */
export const noticeCard: CardKind<Notice> = {
  kind: "notice",
  render: (notice, { messages }) => ({ html: messages.t(notice.message, notice.args), buttons: [] }),
  actions: {},
};
