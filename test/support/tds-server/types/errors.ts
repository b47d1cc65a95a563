/** How far an error reaches. `statement`: the next one runs. `batch`: nothing more of the request. `connection`: it is closed. */
export type Reach = 'statement' | 'batch' | 'connection';

/** An error as clients see it. */
export class SqlError extends Error {
  readonly number: number;
  readonly severity: number;
  readonly state: number;
  readonly reach: Reach;
  line = 1;
  procedure = '';

  constructor(number: number, message: string, severity = 16, state = 1, reach?: Reach) {
    super(message);
    this.number = number;
    this.severity = severity;
    this.state = state;
    this.reach = reach ?? (severity >= 20 ? 'connection' : 'statement');
  }
}

export const errors = {
  syntax: (near: string) => new SqlError(102, `Incorrect syntax near '${near}'.`, 15, 1, 'batch'),
  unclosedQuote: (text: string) =>
    new SqlError(
      105,
      `Unclosed quotation mark after the character string '${text}'.`,
      15,
      1,
      'batch',
    ),
  notFirst: (what: string) =>
    new SqlError(
      111,
      `'CREATE/ALTER ${what}' must be the first statement in a query batch.`,
      15,
      1,
      'batch',
    ),
  undeclared: (name: string) =>
    new SqlError(137, `Must declare the scalar variable "${name}".`, 15, 2, 'batch'),
  undeclaredTable: (name: string) =>
    new SqlError(1087, `Must declare the table variable "${name}".`, 15, 2, 'batch'),
  declaredTwice: (name: string) =>
    new SqlError(
      134,
      `The variable name '${name}' has already been declared. Variable names must be unique within a query batch or stored procedure.`,
      15,
      2,
      'batch',
    ),
  noFunction: (name: string) =>
    new SqlError(195, `'${name}' is not a recognized built-in function name.`, 15, 10, 'batch'),
  noColumn: (name: string) => new SqlError(207, `Invalid column name '${name}'.`, 16, 1, 'batch'),
  noObject: (name: string) => new SqlError(208, `Invalid object name '${name}'.`, 16, 1, 'batch'),
  ambiguous: (name: string) =>
    new SqlError(209, `Ambiguous column name '${name}'.`, 16, 1, 'batch'),
  countMismatch: (before: number, now: number) =>
    new SqlError(
      266,
      `Transaction count after EXECUTE indicates a mismatching number of BEGIN and COMMIT statements. Previous count = ${before}, current count = ${now}.`,
      16,
      2,
    ),
  noProcedure: (name: string) =>
    new SqlError(2812, `Could not find stored procedure '${name}'.`, 16, 62, 'statement'),
  conversion: (what: string, value: string, to: string) =>
    new SqlError(
      245,
      `Conversion failed when converting the ${what} value '${value}' to data type ${to}.`,
      16,
      1,
      'batch',
    ),
  badDate: () =>
    new SqlError(
      241,
      'Conversion failed when converting date and/or time from character string.',
      16,
      1,
      'batch',
    ),
  overflow: (type: string) =>
    new SqlError(
      8115,
      `Arithmetic overflow error converting expression to data type ${type}.`,
      16,
      2,
    ),
  incompatible: (from: string, to: string) =>
    new SqlError(
      529,
      `Explicit conversion from data type ${from} to ${to} is not allowed.`,
      16,
      2,
      'batch',
    ),
  truncated: (column: string) =>
    new SqlError(2628, `String or binary data would be truncated in column '${column}'.`, 16, 1),
  divideByZero: () => new SqlError(8134, 'Divide by zero error encountered.'),
  duplicateKey: (isPrimary: boolean, constraint: string, table: string, key: string) =>
    new SqlError(
      2627,
      `Violation of ${isPrimary ? 'PRIMARY' : 'UNIQUE'} KEY constraint '${constraint}'. Cannot insert duplicate key in object '${table}'. The duplicate key value is (${key}).`,
      14,
    ),
  foreignKey: (what: string, constraint: string, database: string, table: string) =>
    new SqlError(
      547,
      `The ${what} statement conflicted with the ${constraint} constraint. The conflict occurred in database "${database}", table "${table}".`,
      16,
      0,
    ),
  notNull: (column: string, table: string, what: string) =>
    new SqlError(
      515,
      `Cannot insert the value NULL into column '${column}', table '${table}'; column does not allow nulls. ${what} fails.`,
      16,
      2,
    ),
  exists: (name: string) =>
    new SqlError(
      2714,
      `There is already an object named '${name}' in the database.`,
      16,
      6,
      'batch',
    ),
  cannotDrop: (kind: string, name: string) =>
    new SqlError(
      3701,
      `Cannot drop the ${kind} '${name}', because it does not exist or you do not have permission.`,
      11,
      5,
    ),
  identityInsert: (table: string) =>
    new SqlError(
      544,
      `Cannot insert explicit value for identity column in table '${table}' when IDENTITY_INSERT is set to OFF.`,
    ),
  noDatabase: (name: string) =>
    new SqlError(
      911,
      `Database '${name}' does not exist. Make sure that the name is entered correctly.`,
      16,
      1,
      'batch',
    ),
  noAccess: (login: string, database: string) =>
    new SqlError(
      916,
      `The server principal "${login}" is not able to access the database "${database}" under the current security context.`,
      14,
      1,
      'batch',
    ),
  /** Who may not see it is told the same as where it is not there. */
  noPrincipal: (does: string, what: string, name: string) =>
    new SqlError(
      15_151,
      `Cannot ${does} the ${what} '${name}', because it does not exist or you do not have permission.`,
    ),
  principalExists: (name: string) =>
    new SqlError(15_025, `The server principal '${name}' already exists.`),
  userExists: (name: string) =>
    new SqlError(15_023, `User, group, or role '${name}' already exists in the current database.`),
  noLogin: (name: string) =>
    new SqlError(15_007, `'${name}' is not a valid login or you do not have permission.`),
  hasUser: () =>
    new SqlError(15_063, 'The login already has an account under a different user name.'),
  notPermitted: () => new SqlError(15_247, 'User does not have permission to perform this action.'),
  noCommit: () =>
    new SqlError(3902, 'The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.'),
  noRollback: () =>
    new SqlError(3903, 'The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.'),
  noSave: (name: string) =>
    new SqlError(
      6401,
      `Cannot roll back ${name}. No transaction or savepoint of that name was found.`,
    ),
  noSaveOutside: () =>
    new SqlError(628, 'Cannot issue SAVE TRANSACTION when there is no active transaction.'),
  doomed: () =>
    new SqlError(
      3930,
      'The current transaction cannot be committed and cannot support operations that write to the log file. Roll back the transaction.',
      16,
      1,
      'batch',
    ),
  doomedAtEnd: () =>
    new SqlError(
      3998,
      'Uncommittable transaction is detected at the end of the batch. The transaction is rolled back.',
    ),
  deadlock: (spid: number) =>
    new SqlError(
      1205,
      `Transaction (Process ID ${spid}) was deadlocked on lock resources with another process and has been chosen as the deadlock victim. Rerun the transaction.`,
      13,
      51,
      'batch',
    ),
  lockTimeout: () => new SqlError(1222, 'Lock request time out period exceeded.', 16, 51),
  staleDescriptor: () =>
    new SqlError(
      3989,
      'New request is not allowed to start because it should come with valid transaction descriptor.',
      16,
      1,
      'batch',
    ),
  noHandle: (handle: number) =>
    new SqlError(8179, `Could not find prepared statement with handle ${handle}.`, 16, 2, 'batch'),
  noCursor: (name: string) =>
    new SqlError(16916, `A cursor with the name '${name}' does not exist.`, 16, 1),
  cursorExists: (name: string) =>
    new SqlError(16915, `A cursor with the name '${name}' already exists.`, 16, 1),
  cursorClosed: () => new SqlError(16917, 'Cursor is not open.', 16, 1),
  cursorOpen: () => new SqlError(16905, 'The cursor is already open.', 16, 1),
  badCursorHandle: (handle: number) =>
    new SqlError(
      16909,
      `sp_cursor: The cursor identifier value provided (${handle.toString(16)}) is not valid.`,
      16,
      1,
    ),
  missingParameter: (procedure: string, name: string) =>
    new SqlError(
      201,
      `Procedure or function '${procedure}' expects parameter '${name}', which was not supplied.`,
      16,
      4,
      'batch',
    ),
  badParameter: (procedure: string, name: string) =>
    new SqlError(8145, `${name} is not a parameter for procedure ${procedure}.`, 16, 2, 'batch'),
  tooManyParameters: (procedure: string) =>
    new SqlError(
      8144,
      `Procedure or function ${procedure} has too many arguments specified.`,
      16,
      2,
      'batch',
    ),
  noType: (name: string) =>
    new SqlError(
      2715,
      `Column, parameter, or variable #1: Cannot find data type ${name}.`,
      16,
      3,
      'batch',
    ),
  nested: () =>
    new SqlError(
      217,
      'Maximum stored procedure, function, trigger, or view nesting level exceeded (limit 32).',
      16,
      1,
      'batch',
    ),
  protocol: (what: string) =>
    new SqlError(
      4002,
      `The incoming tabular data stream (TDS) protocol stream is incorrect. ${what}`,
      16,
      1,
      'connection',
    ),
} as const;
