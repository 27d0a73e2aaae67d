const mebibyte = 1024 * 1024;

/** S3 demands at least this for every part but the last. */
export const smallestPart = 5 * mebibyte;
/** As small as S3 allows: a worker holds three of them, and two on their way are enough for a fast line. */
const defaultPart = smallestPart;
const largestPart = 5120 * mebibyte;

/** Where growing begins: far from the 10,000 parts that S3 allows. */
const growAfter = 5000;
const growEvery = 500;

const memoryForParts = 64 * mebibyte;
const mostAtOnce = 2;

/** Bytes of parts for an object of about this size: whole MiB, and 5,000 parts at most if the estimate is right. */
export function choosePartSize(expectedBytes: number | undefined, configured?: number): number {
  if (configured !== undefined) return configured;
  const needed = Math.ceil((expectedBytes ?? 0) / growAfter / mebibyte) * mebibyte;
  return Math.min(Math.max(defaultPart, needed), largestPart);
}

/**
 * Bytes of a part by its number (from 1). Equal for the first 5,000, as some stores want all of an object's parts;
 * then doubled every 500, so that an estimate that was far too low does not run into the limit: 9,000 parts of 5 MiB
 * and more hold over 1.3 TB.
 */
export function sizeOfPart(number: number, first: number): number {
  if (number <= growAfter) return first;
  return Math.min(first * 2 ** Math.ceil((number - growAfter) / growEvery), largestPart);
}

/** How many parts may be on their way at the same time within the memory for them. */
export function partsAtOnce(partSize: number): number {
  return Math.min(Math.max(Math.floor(memoryForParts / partSize) - 1, 1), mostAtOnce);
}
