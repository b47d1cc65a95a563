import { createHash } from 'node:crypto';

const LENGTH = 17;
const BASE = 36;

/**
 * The proxy's resource id, `prx-` and 17 letters and digits, as policies name it. It follows from
 * what it is made of, so that a policy still fits after the proxy has been set up anew.
 */
export function proxyId(account: string, region: string, name: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([account, region, name]))
    .digest('hex');
  const number = BigInt(`0x${digest}`) % BigInt(BASE) ** BigInt(LENGTH);
  return `prx-${number.toString(BASE).padStart(LENGTH, '0')}`;
}
