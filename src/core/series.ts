/** One measurement. */
export interface Point {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly value: number;
}

/** Measurements as columns, oldest first: to go over thousands of them without an object for each. */
export interface Columns {
  /** Milliseconds since 1970. */
  readonly times: Float64Array;
  readonly values: Float32Array;
}

/** What is kept of an hour. */
export interface HourPoint {
  /** Its beginning; milliseconds since 1970. */
  readonly at: number;
  readonly min: number;
  readonly mean: number;
  readonly max: number;
}
