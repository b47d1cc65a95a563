import type { DiscardReason } from '../../src/core/discard.ts';
import type { Fault, FaultName } from '../../src/core/fault.ts';
import type { Link } from '../../src/core/link.ts';
import type { Observer } from '../../src/core/observer.ts';

/** An observer that writes down what it is told. */
export class Notes implements Observer {
  readonly discards: DiscardReason[] = [];
  readonly faults: Fault[] = [];
  readonly bugs: unknown[] = [];
  /** Everything, one line each. */
  readonly lines: string[] = [];

  get faultNames(): readonly FaultName[] {
    return this.faults.map(({ name }) => name);
  }

  clientConnected(client: number, { peer }: Pick<Link, 'peer'>, via?: string): void {
    const introduced = via === undefined ? '' : ` as ${peer} through ${via}`;
    this.lines.push(`client ${client} connected${introduced}`);
  }

  introductionRefused(client: number, peer: string, why: string | undefined): void {
    this.lines.push(`client ${client} at ${peer} not introduced: ${why ?? 'time ran out'}`);
  }

  clientSignedIn(client: number, user: string): void {
    this.lines.push(`client ${client} signed in as ${user}`);
  }

  clientRefused(client: number, _peer: string, user: string, why: string): void {
    this.lines.push(`client ${client} refused as ${user}: ${why}`);
  }

  clientClosed(client: number, why: string): void {
    this.lines.push(`client ${client} closed: ${why}`);
  }

  serverConnected(server: number, user: string): void {
    this.lines.push(`server ${server} connected as ${user}`);
  }

  serverFailed(user: string, why: string): void {
    this.lines.push(`server failed for ${user}: ${why}`);
  }

  serverDiscarded(server: number, reason: DiscardReason, detail: string): void {
    this.discards.push(reason);
    this.lines.push(`server ${server} discarded: ${reason} ${detail}`);
  }

  pinned(client: number, server: number, reason: string): void {
    this.lines.push(`client ${client} pinned to ${server}: ${reason}`);
  }

  unpinned(client: number, server: number, reason: string): void {
    this.lines.push(`client ${client} unpinned from ${server}: ${reason}`);
  }

  fault(client: number, fault: Fault): void {
    this.faults.push(fault);
    this.lines.push(`client ${client} fault ${fault.name}`);
  }

  cancelled(client: number, server: number | undefined): void {
    this.lines.push(`client ${client} cancelled on ${server ?? 'none'}`);
  }

  bug(where: string, error: unknown): void {
    this.bugs.push(error);
    this.lines.push(`bug in ${where}: ${String(error)}`);
  }
}
