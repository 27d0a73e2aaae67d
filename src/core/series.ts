/** One measurement. */
export interface Point {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly value: number;
}

/** What is kept of an hour. */
export interface HourPoint {
  /** Its beginning; milliseconds since 1970. */
  readonly at: number;
  readonly min: number;
  readonly mean: number;
  readonly max: number;
}
