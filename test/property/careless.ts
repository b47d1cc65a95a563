// Sluice, but for one thing: whatever a session leaves behind, its connection goes to the next one as it is. The tests
// run it to see that they would notice.
import { Session } from '../../src/core/session.ts';

Session.prototype.pin = () => {};
await import('../../src/main.ts');
