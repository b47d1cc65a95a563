import type { SluiceOptions } from '../support/sluice.ts';
import { Actor } from './actor.ts';
import { Counts } from './counts.ts';
import { Proxy } from './proxy.ts';
import type { Troupe } from './round.ts';
import { Stage } from './stage.ts';
import type { Life } from './steps.ts';
import type { World } from './world.ts';

/** Those who play a round in a world, with a Sluice of their own. */
export async function troupeOf(
  world: World,
  connections: number,
  options: SluiceOptions = {},
): Promise<Troupe<Life, World>> {
  const proxy = await Proxy.open(world, connections, options);
  const stage = new Stage<World>(world, proxy, new Counts());
  return {
    stage,
    prepare: (life) => world.prepare(life),
    enter: (life, history) => Actor.enter(stage, life, history),
    clean: (life) => world.clean(life),
  };
}
