// Characters that T-SQL is cut by, as their codes.
export const NEWLINE = 0x0a;
export const RETURN = 0x0d;
export const SPACE = 0x20;
export const DOUBLE_QUOTE = 0x22;
export const QUOTE = 0x27;
export const STAR = 0x2a;
export const DASH = 0x2d;
export const SLASH = 0x2f;
export const ZERO = 0x30;
export const NINE = 0x39;
export const OPEN_BRACKET = 0x5b;
/** Those below are in ASCII. */
export const ASCII = 0x80;
