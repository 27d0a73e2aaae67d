/**
 * A sentence by its key in `messages/`: whoever shows it renders it in the reader's language. Plain data, so that it
 * can be kept in Redis. Texts among its arguments are rendered in the same language.
 */
export interface Text {
  readonly key: string;
  readonly args?: Readonly<Record<string, string | number | Text>>;
}
