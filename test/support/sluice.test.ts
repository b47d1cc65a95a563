import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseMetrics, startSluice } from './sluice.ts';
import { outcomeOf } from './outcome.ts';

/** Says what Sluice says at its start, then does as the settings tell it. */
const standIn = `
  const path = process.argv.at(-1);
  const say = (line) => console.log(JSON.stringify(line));
  say({ event: 'listening', proxy: 'app', host: '127.0.0.1', port: 1234 });
  const settings = Bun.YAML.parse(await Bun.file(path).text());
  if (settings.fail) { console.error('cannot: ' + process.env.WHY); process.exit(3); }
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('# HELP a b\\na{b="c d"} 7\\n') });
  say({ event: 'adminListening', host: '127.0.0.1', port: server.port });
  process.on('SIGTERM', () => { say({ event: 'stopping' }); process.exit(0); });
  process.on('SIGHUP', () => say({ event: 'hup' }));
  console.log('no json');
  say({ event: 'ready' });
`;

describe('starting Sluice', () => {
  let directory: string;
  let program: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-stand-in-'));
    program = join(directory, 'main.ts');
    await writeFile(program, standIn);
  });

  afterAll(() => rm(directory, { recursive: true }));

  test('waits until it is ready, follows its log, asks for its metrics and stops it', async () => {
    const sluice = await startSluice({ fail: false }, { program, files: { 'a.pem': 'x' } });
    expect(existsSync(join(sluice.directory, 'a.pem'))).toBe(true);
    expect(sluice.endpoint('app')).toEqual({ proxy: 'app', host: '127.0.0.1', port: 1234 });
    expect(() => sluice.endpoint('other')).toThrow('other');
    expect(sluice.logs()).toContainEqual({ text: 'no json' });
    expect(await sluice.metrics()).toEqual(new Map([['a{b="c d"}', 7]]));
    const heard = sluice.waitForLog((line) => line.event === 'hup');
    sluice.signal('SIGHUP');
    await heard;
    const never = sluice.waitForLog((line) => line.event === 'never').catch(String);
    expect(await sluice.stop()).toBe(0);
    expect(await never).toContain('ended (0)');
    expect(sluice.logs('stopping')).toHaveLength(1);
    expect(existsSync(sluice.directory)).toBe(false);
  });

  test('tells what it said where it does not start', async () => {
    const start = startSluice('fail: true', { program, env: { WHY: 'no reason' } });
    expect(await outcomeOf(start)).toThrow(/ended \(3\)[^]*listening[^]*cannot: no reason/);
  });
});

test('metrics are read by name and labels', () => {
  expect(parseMetrics('# TYPE a gauge\na 1\nb{c="d e"} 2.5\nc_bucket{le="+Inf"} 3\n')).toEqual(
    new Map([
      ['a', 1],
      ['b{c="d e"}', 2.5],
      ['c_bucket{le="+Inf"}', 3],
    ]),
  );
});
