/** A place in the settings: keys, and positions in lists. */
export type Path = readonly (string | number)[];

/** The settings file cannot be used. Each problem is `file:line:column: path: what is wrong; how to mend`. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

export interface Position {
  readonly line: number;
  readonly column: number;
}

interface Problem {
  readonly position: Position;
  readonly path: string;
  readonly text: string;
}

/** Gathers what is wrong, once for each place, in the order of the file. Texts never show a value. */
export class Problems {
  readonly #file: string;
  readonly #locate: (path: Path) => Position;
  readonly #found = new Map<string, Problem>();

  constructor(file: string, locate: (path: Path) => Position) {
    this.#file = file;
    this.#locate = locate;
  }

  /** `text` says what is wrong at `path` and how to mend it. The first problem of a place hides those that follow from it. */
  add(path: Path, text: string): void {
    const id = showPath(path);
    if (!this.#found.has(id)) this.#found.set(id, { position: this.#locate(path), path: id, text });
  }

  /** For a key that may itself be a secret in the wrong place: the line shows only where its mapping is. */
  unknownKey(path: Path, key: string, text: string): void {
    const id = showPath([...path, key]);
    if (this.#found.has(id)) return;
    this.#found.set(id, { position: this.#locate([...path, key]), path: showPath(path), text });
  }

  lines(): readonly string[] {
    return [...this.#found.values()]
      .sort(({ position: a }, { position: b }) => a.line - b.line || a.column - b.column)
      .map(({ path, position, text }) => {
        const where = `${this.#file}:${position.line}:${position.column}`;
        return path === '' ? `${where}: ${text}` : `${where}: ${path}: ${text}`;
      });
  }
}

/** `proxies[0].pool.initQuery` */
export function showPath(path: Path): string {
  return path.reduce<string>((shown, key) => {
    if (typeof key === 'number') return `${shown}[${key}]`;
    return shown === '' ? key : `${shown}.${key}`;
  }, '');
}
