import type { Path, Problems } from './problems.ts';

/** The environment, or what stands for it. */
export type Env = Readonly<Record<string, string | undefined>>;

const PATTERN = /(\$?)\$\{([^}]*)(\}?)/g;
const BODY = /^([A-Za-z_]\w*)(?::-([^]*))?$/;

/**
 * Puts variables in: `${NAME}`, or `${NAME:-default}` for one that may be unset or empty; `$${` stands for `${`.
 * What a variable holds is taken as it is. Problems name the variable, never a value.
 */
export function expandVariables(text: string, env: Env, path: Path, problems: Problems): string {
  if (!text.includes('${')) return text;
  return text.replaceAll(PATTERN, (whole: string, escape: string, body: string, close: string) => {
    if (escape !== '') return whole.slice(1);
    const [, name, fallback] = BODY.exec(body) ?? [];
    if (name === undefined || close === '') {
      problems.add(
        path,
        'a variable is written ${NAME} or ${NAME:-default}; write $${ for a plain ${',
      );
      return whole;
    }
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
    if (value === undefined)
      problems.add(path, `the variable ${name} is not set; set it, or write \${${name}:-default}`);
    return value ?? whole;
  });
}
