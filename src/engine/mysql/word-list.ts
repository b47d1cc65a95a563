/** Words, written one behind the other. */
export function words(list: string): ReadonlySet<string> {
  return new Set(list.split(' '));
}
