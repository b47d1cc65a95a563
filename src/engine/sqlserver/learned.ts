import { limits } from '../../base/limits.ts';
import type { SettingName } from './sql/effects.ts';
import type { Beginning } from './state.ts';

/** What a language brings along. */
export type Lesson = ReadonlyMap<SettingName, string>;

/** What languages have set beside themselves, on the connections of one proxy: nobody has to ask twice. */
export class Lessons {
  readonly #known = new WeakMap<Beginning, Map<string, Lesson>>();

  recall(beginning: Beginning, language: string): Lesson | undefined {
    return this.#known.get(beginning)?.get(language);
  }

  learn(beginning: Beginning, language: string, lesson: Lesson): void {
    let languages = this.#known.get(beginning);
    if (languages === undefined || languages.size >= limits.knownSettingValues.value) {
      languages = new Map();
      this.#known.set(beginning, languages);
    }
    languages.set(language, lesson);
  }
}
