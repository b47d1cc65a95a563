import { expect } from 'bun:test';

/** Compiles what the tests of a language run. Fails with what the compiler said. */
export async function compile(
  command: readonly string[],
  directory: string,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { PATH = '', HOME = '' } = process.env;
  const child = Bun.spawn([...command], {
    cwd: directory,
    env: { PATH, HOME, LC_ALL: 'C.UTF-8', ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  expect({ code, said: code === 0 ? '' : out + err }).toEqual({ code: 0, said: '' });
}
