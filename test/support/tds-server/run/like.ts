const cache = new Map<string, RegExp>();

/** LIKE's pattern as a regular expression, without regard to case. */
export function likePattern(pattern: string, escape: string): RegExp {
  const key = `${escape}\u0000${pattern}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  let source = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] ?? '';
    if (escape !== '' && character === escape) {
      at += 1;
      source += quote(pattern[at] ?? '');
    } else if (character === '%') source += '.*';
    else if (character === '_') source += '.';
    else if (character === '[' && pattern.includes(']', at + 2)) {
      const end = pattern.indexOf(']', at + 2);
      source += `[${pattern
        .slice(at + 1, end)
        .replaceAll('\\', '\\\\')
        .replaceAll('[', '\\[')}]`;
      at = end;
    } else source += quote(character);
  }
  const found = new RegExp(`^${source}$`, 'is');
  if (cache.size > 1000) cache.clear();
  cache.set(key, found);
  return found;
}

function quote(character: string): string {
  return character.replace(/[$()*+.?[\\\]^{|}/-]/, '\\$&');
}
