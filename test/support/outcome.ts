/**
 * What comes of it, as a function for `toThrow`: it returns or throws that. `expect(promise).rejects` would run the event loop
 * until the promise is settled, in the middle of what the loop has in hand already: of that, Bun forgets what is told once, such
 * as that a program has written something, whose output is never read again.
 */
export async function outcomeOf<Value>(promise: Promise<Value> | Value): Promise<() => Value> {
  try {
    const value = await promise;
    return () => value;
  } catch (problem) {
    return () => {
      throw problem;
    };
  }
}
