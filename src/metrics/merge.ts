/**
 * One page of several processes' pages: the samples of one family must stand together, under one HELP and one TYPE. The pages
 * come from `renderMetrics` and differ in their labels.
 */
export function mergeExpositions(pages: readonly string[]): string {
  const families = new Map<string, string[]>();
  for (const page of pages) {
    let samples: string[] = [];
    let help = '';
    for (const line of page.split('\n')) {
      if (line.startsWith('# HELP ')) {
        help = line;
      } else if (line.startsWith('# TYPE ')) {
        const head = `${help}\n${line}`;
        samples = families.get(head) ?? [];
        families.set(head, samples);
      } else if (line !== '') {
        samples.push(line);
      }
    }
  }
  return [...families].map(([head, samples]) => `${[head, ...samples].join('\n')}\n`).join('');
}
