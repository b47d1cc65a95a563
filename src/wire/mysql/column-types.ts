/** The types of columns and parameters. MySQL: field_types.h; those for the server's own use are left out. */
export const columnType = {
  decimal: 0x00,
  tiny: 0x01,
  short: 0x02,
  long: 0x03,
  float: 0x04,
  double: 0x05,
  null: 0x06,
  timestamp: 0x07,
  longlong: 0x08,
  int24: 0x09,
  date: 0x0a,
  time: 0x0b,
  datetime: 0x0c,
  year: 0x0d,
  newDate: 0x0e,
  varchar: 0x0f,
  bit: 0x10,
  vector: 0xf2,
  bool: 0xf4,
  json: 0xf5,
  newDecimal: 0xf6,
  enum: 0xf7,
  set: 0xf8,
  tinyBlob: 0xf9,
  mediumBlob: 0xfa,
  longBlob: 0xfb,
  blob: 0xfc,
  varString: 0xfd,
  string: 0xfe,
  geometry: 0xff,
} as const;

const numbers: ReadonlySet<number> = new Set([
  columnType.decimal,
  columnType.tiny,
  columnType.short,
  columnType.long,
  columnType.float,
  columnType.double,
  columnType.longlong,
  columnType.int24,
  columnType.year,
  columnType.newDecimal,
]);

/** Whether values of this type are written as numbers, without quotes. */
export function isNumber(type: number): boolean {
  return numbers.has(type);
}

/** What a column definition says of its column. MySQL documentation, "Column Definition Flags". */
export const columnFlag = {
  notNull: 0x0001,
  primaryKey: 0x0002,
  uniqueKey: 0x0004,
  multipleKey: 0x0008,
  blob: 0x0010,
  unsigned: 0x0020,
  zerofill: 0x0040,
  binary: 0x0080,
  enum: 0x0100,
  autoIncrement: 0x0200,
  timestamp: 0x0400,
  set: 0x0800,
  noDefaultValue: 0x1000,
  onUpdateNow: 0x2000,
  number: 0x8000,
} as const;
