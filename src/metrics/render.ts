import type { Counters, Gauges } from '../core/observer.ts';
import type { Labels } from './exposition.ts';
import { Exposition } from './exposition.ts';
import type { Moment, Scope } from './families.ts';
import { families } from './families.ts';
import type { ProcessFacts } from './process.ts';
import { processFamilies } from './process.ts';

/** An endpoint of a proxy, or a target, or both, as metrics see them: what is of neither is not told. */
export interface MetricsSource {
  readonly proxy: string;
  /** Its name; `default` for the one that comes with the proxy. */
  readonly endpoint?: string;
  /** The identifier of the database. */
  readonly target?: string;
  readonly counters: Counters;
  readonly targetUp: boolean;
  gauges(): Partial<Gauges>;
}

/**
 * The page that Prometheus scrapes (`EXPOSITION_TYPE`). Costs nothing until it is asked for. `everywhere` are labels that
 * every sample gets.
 */
export function renderMetrics(
  sources: readonly MetricsSource[],
  facts: ProcessFacts,
  everywhere: Labels = {},
): string {
  const out = new Exposition(everywhere);
  for (const { name, type, help, labels, value } of processFamilies) {
    const number = value(facts);
    if (number === undefined) continue;
    out.family(name, type, help);
    out.sample(name, labels?.(facts) ?? {}, number);
  }
  const moments = sources.map((source) => ({
    labels: labelsOf(source),
    moment: momentOf(source),
  }));
  for (const family of families) {
    out.family(family.name, family.type, family.help);
    for (const { labels, moment } of moments) {
      const own = labels[family.scope];
      if (own !== undefined) family.samples(out, own, moment);
    }
  }
  return out.toString();
}

function momentOf(source: MetricsSource): Moment {
  const { counters, targetUp } = source;
  return { counters, targetUp, gauges: source.gauges() };
}

/** CloudWatch's dimension sets 2 and 3. A proxy has one target group. */
function labelsOf({ proxy, endpoint, target }: MetricsSource): Partial<Record<Scope, Labels>> {
  return {
    ...(endpoint !== undefined && { endpoint: { proxy, endpoint } }),
    ...(target !== undefined && { target: { proxy, target_group: 'default', target } }),
  };
}
