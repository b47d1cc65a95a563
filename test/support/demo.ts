import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** What the user's shell may hold, and what must make no difference. */
export const demoEnvironment = {
  PATH: process.env['PATH'] ?? '',
  AWS_PROFILE: 'nobody',
  AWS_SESSION_TOKEN: 'stale',
};

export type Demo = Bun.Subprocess<'ignore', 'pipe', 'pipe'>;

/** Runs `sluice demo` in `folder`, which is also where it puts temporary files. */
export function startDemo(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Demo {
  return Bun.spawn([process.execPath, main, 'demo', ...args], {
    cwd: folder,
    env: { ...demoEnvironment, TMPDIR: folder, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
}

/** Reads until `mark` was said, and returns all that came until then. */
export async function readUntil(stream: ReadableStream<Uint8Array>, mark: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  const reader = stream.getReader();
  try {
    while (!text.includes(mark)) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`it ended and had said only: ${text}`);
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    reader.releaseLock();
  }
  return text;
}

/** Pastes a command into a shell whose environment is the user's, and says this to the client that it starts. */
export async function paste(command: string, path: string, sql: string): Promise<string> {
  const shell = Bun.spawn(['sh', '-c', command], {
    cwd: '/',
    env: { ...demoEnvironment, PATH: path },
    stdin: Buffer.from(sql),
    stdout: 'pipe',
    stderr: 'pipe',
  });
  return (await shell.stdout.text()) + (await shell.stderr.text());
}

/** The two commands of `--keep`: with a password, and with an IAM token. */
export function commandsIn(said: string): readonly [string, string] {
  const [, byPassword = '', byToken = ''] =
    /with a password:\n\n([^]*)\n\nWith an IAM token:\n\n([^]*)/.exec(said) ?? [];
  return [byPassword, byToken];
}
