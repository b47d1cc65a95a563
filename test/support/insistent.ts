// Sluice as it is where there is very much to read, for tests that do not say enough for that: the ring reads at once, for everybody.
import { receives } from '../../src/net/receives.ts';

receives.insist();
await import('../../src/main.ts');
