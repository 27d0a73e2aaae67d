/**
 * A sentence by its key in `messages/`: whoever shows it renders it in the reader's language. Plain data, so that it
 * can be kept in Redis. Texts among its arguments are rendered in the same language.
 */
export interface Text {
  readonly key: string;
  readonly args?: Readonly<Record<string, string | number | Text | Moment>>;
}

/** A point in time in a text: whoever shows it writes it as the reader's language does. */
export interface Moment {
  /** ISO 8601. */
  readonly moment: string;
  /** IANA time zone in which it is shown. */
  readonly timezone: string;
}
