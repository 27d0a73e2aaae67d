const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;

/** S3 demands at least this for every part but the last. */
export const smallestPart = 5 * mebibyte;
/** As small as S3 allows: a worker holds three of them, and two on their way are enough for a fast line. */
const defaultPart = smallestPart;
const largestPart = 5120 * mebibyte;

/** Parts of an object that S3 allows, and the fewest that a server may allow. */
export const mostParts = 10_000;
export const fewestParts = 100;

/** Sizes are chosen for nine tenths of the parts that a server allows; what comes after them grows. */
const plannedOf = (maxParts: number): number => Math.floor(maxParts * 0.9);
const growEveryOf = (maxParts: number): number => Math.max(1, Math.floor(maxParts / 100));

/** For which size parts are made when nothing is known of it: 9,000 of the default ones. */
const unknownBytes = 9000 * defaultPart;

const memoryForParts = 64 * mebibyte;
const mostAtOnce = 2;

/**
 * Bytes of parts for an object of at most about this size: whole MiB, and at most nine tenths of `maxParts`. The
 * expectation is one of raw bytes: nobody knows how well they will compress, and parts that are too small cost more
 * than large ones. An object of unknown size may have 43 GiB until its parts grow.
 */
export function choosePartSize(expectedBytes: number | undefined, configured?: number, maxParts = mostParts): number {
  if (configured !== undefined) return configured;
  const needed = Math.ceil((expectedBytes ?? unknownBytes) / plannedOf(maxParts) / mebibyte) * mebibyte;
  return Math.min(Math.max(defaultPart, needed), largestPart);
}

/**
 * Bytes of a part by its number (from 1). Equal for the first nine tenths, as some stores want all of an object's
 * parts; then doubled ten times, the last resort for an expectation that was far too low: 10,000 parts of 5 MiB hold
 * 1 TiB in the end, 1,000 of 50 MiB hold 300 GiB.
 */
export function sizeOfPart(number: number, first: number, maxParts = mostParts): number {
  const planned = plannedOf(maxParts);
  if (number <= planned) return first;
  return Math.min(first * 2 ** Math.ceil((number - planned) / growEveryOf(maxParts)), largestPart);
}

/** How many parts may be on their way at the same time: as configured, or within the memory for them. */
export function partsAtOnce(partSize: number, configured?: number): number {
  return configured ?? Math.min(Math.max(Math.floor(memoryForParts / partSize) - 1, 1), mostAtOnce);
}

/** Parts for a copy within the server; nothing of them passes through this process, so they are large. */
export function sizeOfCopiedPart(bytes: number, maxParts = mostParts): number {
  return Math.min(Math.max(gibibyte, Math.ceil(bytes / plannedOf(maxParts) / mebibyte) * mebibyte), largestPart);
}
