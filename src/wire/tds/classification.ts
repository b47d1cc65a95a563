// How sensitive columns are. [MS-TDS] 2.2.7.5.
import { Scanner } from './scanner.ts';

/** From this version on there are ranks. */
const RANKED = 2;

/** The offset behind the body at `at`; -1: more of it is needed. @param version of it that was agreed on */
export function dataClassificationEnd(
  bytes: Uint8Array,
  at: number,
  end: number,
  version: number,
): number {
  const scanner = new Scanner(bytes, at, end);
  skipNames(scanner);
  skipNames(scanner);
  const rankBytes = version >= RANKED ? 4 : 0;
  scanner.skip(rankBytes);
  for (let columns = scanner.u16(); columns > 0 && !scanner.isShort; columns -= 1) {
    scanner.skip(scanner.u16() * (4 + rankBytes));
  }
  return scanner.isShort ? -1 : scanner.at;
}

/** Labels or types of information, with their identifiers. */
function skipNames(scanner: Scanner): void {
  for (let names = scanner.u16(); names > 0 && !scanner.isShort; names -= 1) {
    scanner.skipShortText();
    scanner.skipShortText();
  }
}
