import type { RelayOptions, RelaySink } from '../../core/engine.ts';
import { Commands } from './commands.ts';
import { Errands } from './errands.ts';
import type { MysqlMemory } from './memory.ts';
import type { MysqlPrincipal } from './principal.ts';
import { Replies } from './replies.ts';
import type { SessionState } from './state.ts';
import { Statements } from './statements.ts';
import type { Target } from './target.ts';
import { Told } from './told.ts';
import { Tracker } from './tracker.ts';

/**
 * Those who know a session, from its sign-in on or since it has begun anew. There are thousands, most of which do nothing: they
 * share this one object, and make what they need when they need it.
 */
export class Crew {
  readonly sink: RelaySink<MysqlMemory, MysqlPrincipal>;
  readonly who: MysqlPrincipal;
  readonly welcome: MysqlMemory;
  readonly options: RelayOptions;
  readonly tracker: Tracker;
  readonly replies: Replies;
  readonly errands: Errands;
  readonly statements: Statements;
  readonly commands: Commands;

  constructor(
    sink: RelaySink<MysqlMemory, MysqlPrincipal>,
    target: Target,
    who: MysqlPrincipal,
    welcome: MysqlMemory,
    options: RelayOptions,
    before: SessionState,
  ) {
    this.sink = sink;
    this.who = who;
    this.welcome = welcome;
    this.options = options;
    this.tracker = new Tracker(sink, {
      options,
      isMariaDb: welcome.target.isMariaDb,
      lessons: target.lessons,
      wanted: before.anew(who.schema),
      reports: welcome.reports,
    });
    this.replies = new Replies(this);
    this.errands = new Errands(this);
    this.statements = new Statements(this);
    this.commands = new Commands(this);
  }

  /** What the client hears of changes. */
  get told(): Told {
    return Told.of(this.who.capabilities, this.tracker.reports);
  }
}
