import type { Clock } from '../../src/base/clock.ts';
import type { Sluice } from '../../test/support/sluice.ts';
import type { ShopDatabase } from './database.ts';
import type { Administrator } from './stage.ts';
import type { Teller } from './teller.ts';

/** What every step may use. */
export interface Around {
  readonly administrator: Administrator;
  readonly sluice: Sluice;
  readonly database: ShopDatabase;
  readonly clock: Clock;
  readonly teller: Teller;
  /** The user's. */
  readonly path: string;
}
