/**
 * Whether `text` fits `pattern`, in which `*` stands for any characters or none and `?` for exactly
 * one. Only the last star is ever taken back, so the work is bounded by the product of the two
 * lengths, whatever the pattern.
 */
export function matchesWildcard(pattern: string, text: string): boolean {
  let at = 0;
  let patternAt = 0;
  let starAt = -1;
  let starTextAt = 0;
  while (at < text.length) {
    const wanted = pattern[patternAt];
    if (wanted === '*') {
      starAt = patternAt;
      starTextAt = at;
      patternAt += 1;
    } else if (wanted === '?' || wanted === text[at]) {
      at += 1;
      patternAt += 1;
    } else if (starAt >= 0) {
      // The last star takes one character more.
      starTextAt += 1;
      at = starTextAt;
      patternAt = starAt + 1;
    } else {
      return false;
    }
  }
  while (pattern[patternAt] === '*') patternAt += 1;
  return patternAt === pattern.length;
}
