import { Violation } from '../../base/assert.ts';
import { latin1 } from '../../base/bytes.ts';
import { parseIp, sayIp } from '../../base/ip.ts';
import { limits } from '../../base/limits.ts';
import type { Source } from './header.ts';

const CR = 0x0d;
const LF = 0x0a;
/** PROXY 2.1: of UNKNOWN nothing but the end of the line counts. */
const UNKNOWN = /^PROXY UNKNOWN(?: .*)?\r\n$/s;
const KNOWN = /^PROXY TCP([46]) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+)\r\n$/;
const PORT = /^(?:0|[1-9]\d{0,4})$/;

/** How long the line is that the bytes begin with, its end included; undefined while that has not come. */
export function lineLength(bytes: Uint8Array): number | undefined {
  const most = limits.proxyLineBytes.value;
  const line = bytes.subarray(0, most);
  const end = line.indexOf(LF);
  if (end !== -1 && line[end - 1] !== CR)
    throw new Violation('its line ends with LF instead of CRLF');
  if (end === -1 && line.length === most)
    throw new Violation(`its line does not end within ${most} bytes`);
  return end === -1 ? undefined : end + 1;
}

/** Reads a whole line. Undefined where the sender cannot tell where the connection comes from. */
export function readLine(line: Uint8Array): Source | undefined {
  const text = latin1(line);
  if (UNKNOWN.test(text)) return undefined;
  const [, family, from = '', to = '', fromPort = '', toPort = ''] = KNOWN.exec(text) ?? [];
  if (family === undefined) throw new Violation('its line is not one of version 1');
  const isIpv6 = family === '6';
  const [source, destination] = [readAddress(from, isIpv6), readAddress(to, isIpv6)];
  if (source === undefined || destination === undefined)
    throw new Violation(`its line has an address that is not one of TCP${family}`);
  if (!isPort(fromPort) || !isPort(toPort))
    throw new Violation('its line has a port that is not a number from 0 to 65535');
  return { host: sayIp(source), port: Number(fromPort) };
}

function readAddress(text: string, isIpv6: boolean): Uint8Array | undefined {
  return text.includes(':') === isIpv6 ? parseIp(text) : undefined;
}

function isPort(text: string): boolean {
  return PORT.test(text) && Number(text) <= 65_535;
}
