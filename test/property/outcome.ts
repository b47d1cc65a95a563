/** What a client saw that it would not have seen of the database itself. */
export class Difference extends Error {
  override readonly name = 'Difference';
}

/** The life is over, and nobody is to blame. */
export class CutOff extends Error {
  override readonly name = 'CutOff';
}

/** A text arrived that belongs to somebody else. */
export class Leak extends Error {
  override readonly name = 'Leak';
}

/** What the life of this name must never meet: any other one's token, of which an answer may have the beginning only. */
export function foreignTo(name: string): RegExp {
  return new RegExp(`tok_(?!${name}_)n\\d+_\\d+_\\w*`);
}
