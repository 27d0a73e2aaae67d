const mebibyte = 1024 * 1024;

/** S3 demands at least this for every part but the last. */
export const smallestPart = 5 * mebibyte;
/** As small as S3 allows: a worker holds three of them, and two on their way are enough for a fast line. */
const defaultPart = smallestPart;
const largestPart = 5120 * mebibyte;

/** S3 allows 10,000 parts. Sizes are chosen for this many; what comes after them grows. */
const plannedParts = 9000;
const growEvery = 100;

const memoryForParts = 64 * mebibyte;
const mostAtOnce = 2;

/**
 * Bytes of parts for an object of at most about this size: whole MiB, and 9,000 parts at most. The expectation is one
 * of raw bytes: nobody knows how well they will compress, and parts that are too small cost more than large ones.
 */
export function choosePartSize(expectedBytes: number | undefined, configured?: number): number {
  if (configured !== undefined) return configured;
  const needed = Math.ceil((expectedBytes ?? 0) / plannedParts / mebibyte) * mebibyte;
  return Math.min(Math.max(defaultPart, needed), largestPart);
}

/**
 * Bytes of a part by its number (from 1). Equal for the first 9,000, as some stores want all of an object's parts; then
 * doubled every 100, the last resort for an expectation that was far too low: parts of 5 MiB hold 1 TiB in the end.
 */
export function sizeOfPart(number: number, first: number): number {
  if (number <= plannedParts) return first;
  return Math.min(first * 2 ** Math.ceil((number - plannedParts) / growEvery), largestPart);
}

/** How many parts may be on their way at the same time within the memory for them. */
export function partsAtOnce(partSize: number): number {
  return Math.min(Math.max(Math.floor(memoryForParts / partSize) - 1, 1), mostAtOnce);
}
