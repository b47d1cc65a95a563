/** Bits of the four bytes of options in a LOGIN7. [MS-TDS] 2.2.6.4 */
export const flags1 = {
  /** Numbers are big-endian. */
  bigEndian: 0x01,
  /** Characters are EBCDIC. */
  ebcdic: 0x02,
  /** Changes of the database are told. */
  useDb: 0x20,
  /** There is no login where the database cannot be used. */
  databaseFatal: 0x40,
  /** Changes of the language are told. */
  setLang: 0x80,
} as const;

export const flags2 = {
  /** There is no login where the language is not known. */
  languageFatal: 0x01,
  /** The session begins with what ODBC wants. */
  odbc: 0x02,
  integratedSecurity: 0x80,
} as const;

export const typeFlags = {
  readOnlyIntent: 0x20,
} as const;

export const flags3 = {
  changePassword: 0x01,
  userInstance: 0x02,
  unknownCollationHandling: 0x08,
  /** There are feature extensions. */
  extension: 0x10,
} as const;
