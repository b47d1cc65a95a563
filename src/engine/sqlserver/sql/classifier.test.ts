import { describe, expect, test } from 'bun:test';
import { told } from '../../../../test/support/sqlserver-effects.ts';
import { Classifier } from './classifier.ts';
import { judge } from './judge.ts';

type Row = readonly [sql: string, ...effects: string[]];

const IMPLICIT = 'sets implicit_transactions = ';
/** What tedious sends first on each connection, and what else drivers and programs begin with. */
const TEDIOUS = `set ansi_nulls on
set ansi_null_dflt_on on
set ansi_padding on
set ansi_warnings on
set arithabort on
set concat_null_yields_null on
set datefirst 7
set dateformat mdy
set implicit_transactions off
set language us_english
set numeric_roundabort off
set quoted_identifier on
set textsize 2147483647
set transaction isolation level read committed
set xact_abort off`;

const SSMS = `SET ROWCOUNT 0
SET TEXTSIZE 2147483647
SET NOCOUNT OFF
SET CONCAT_NULL_YIELDS_NULL ON
SET ARITHABORT ON
SET LOCK_TIMEOUT -1
SET QUERY_GOVERNOR_COST_LIMIT 0
SET DEADLOCK_PRIORITY NORMAL
SET TRANSACTION ISOLATION LEVEL READ COMMITTED
SET ANSI_NULLS ON
SET ANSI_NULL_DFLT_ON ON
SET ANSI_PADDING ON
SET ANSI_WARNINGS ON
SET CURSOR_CLOSE_ON_COMMIT OFF
SET IMPLICIT_TRANSACTIONS OFF
SET QUOTED_IDENTIFIER ON`;

const KNEX = `select top(0) [t].[id] into #out from [users] as t left join [users] on 0=1;
insert into [users] ([name]) output inserted.[id] into #out values (@p0);
select [id] from #out;
drop table #out;`;

const batches: Record<string, readonly Row[]> = {
  'ordinary statements': [
    ['SELECT 1'],
    ['select a, b from dbo.t where c = @p'],
    ['  ;; select 1;'],
    ['(SELECT 1) UNION ALL (SELECT 2)'],
    ["SELECT 'set nocount on', N'exec x', [exec], \"use\" FROM t"],
    ['SELECT [set], t.[exec] FROM [use].[begin].t'],
    ['WITH c AS (SELECT 1 AS a) SELECT * FROM c'],
    ["UPDATE t SET a = 1, b += 2, c.WRITE(N'x', 0, NULL), t.d = 3 WHERE e = 4"],
    ['UPDATE t SET nocount = 1, rowcount = 2, [language] = 3'],
    ['UPDATE t SET datefirst = 1 FROM t JOIN u ON t.a = u.a'],
    ['UPDATE t SET @x = a = 1'],
    ['DELETE FROM t OUTPUT deleted.* INTO @deleted WHERE a = 1'],
    ['INSERT INTO t (a) VALUES (1), (2)', 'inserts'],
    ['INSERT t DEFAULT VALUES', 'inserts'],
    ['INSERT TOP (5) INTO #t SELECT a FROM u', 'inserts'],
    ['INSERT INTO #t EXEC dbo.p', 'inserts', 'transaction'],
    [
      'MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET t.b = s.b WHEN NOT MATCHED THEN INSERT (a) VALUES (1);',
      'inserts',
    ],
    [
      'MERGE t WITH (HOLDLOCK) AS x USING s ON 1 = 1 WHEN MATCHED THEN DELETE OUTPUT $action;',
      'inserts',
    ],
    ['SELECT * FROM t INNER MERGE JOIN u ON 1 = 1', 'inserts'],
    ['SET @x = 1'],
    ['SET @x += 1'],
    ["SET @x.modify('delete /a')"],
    ['DECLARE @x int = 1, @y nvarchar(max); SET @x = (SELECT max(a) FROM t)'],
    ['DECLARE @t TABLE (a int)'],
    ['TRUNCATE TABLE t'],
    [
      'CREATE TABLE t (a int IDENTITY, b int REFERENCES u ON DELETE SET NULL ON UPDATE SET DEFAULT)',
    ],
    ['CREATE INDEX i ON #t (a)'],
    ['ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u (a) ON DELETE SET NULL'],
    ['ALTER TABLE t SET (LOCK_ESCALATION = AUTO)'],
    ['ALTER DATABASE d SET ANSI_NULLS ON'],
    [
      'ALTER DATABASE CURRENT SET READ_COMMITTED_SNAPSHOT ON WITH ROLLBACK IMMEDIATE',
      'transaction',
    ],
    ['ALTER DATABASE SCOPED CONFIGURATION FOR SECONDARY SET MAXDOP = 4'],
    ['ALTER FULLTEXT INDEX ON t SET CHANGE_TRACKING AUTO'],
    ['ALTER SERVER CONFIGURATION SET PROCESS AFFINITY CPU = 0'],
    ['DROP TABLE IF EXISTS t, u'],
    ['GRANT EXECUTE ON p TO u'],
    ['DENY EXEC TO u'],
    ['PRINT @@VERSION'],
    ["WAITFOR DELAY '00:00:01'"],
    ["SELECT a FROM t OPTION (USE HINT ('x'), MAXDOP 1, USE PLAN N'<x/>')"],
    ["SELECT CONTEXT_INFO(), SESSION_CONTEXT(N'a'), @@TRANCOUNT, @@SPID"],
    ["RAISERROR('x', 16, 1) WITH NOWAIT"],
    ['KILL 51'],
    ["BULK INSERT t FROM '/x' WITH (FORMAT = 'CSV')", 'inserts'],
    ['INSERT BULK t (a int, b nvarchar(10) COLLATE x) WITH (TABLOCK)', 'inserts', 'bulk'],
    ["BACKUP DATABASE d TO DISK = '/x'"],
    [''],
    [';'],
    ['-- nothing'],
    ['/* set nocount on */'],
    ['/* a /* set nocount on */ set nocount on */ SELECT 1'],
    ['-- set nocount on\nSELECT 1'],
    ['-- set nocount on\r\nSELECT 1'],
    ["SELECT 'it''s' + ' set nocount on '"],
    ['SELECT [a]] set nocount on ] FROM t'],
    ['SELECT """ set nocount on "" "'],
    ['SELECT 1ELSE, 0x, 0x1F, 1e5, .5, 1., $1.5, -1'],
    ['SELECT * FROM sys.dm_exec_sessions WHERE session_id = @@SPID'],
  ],
  'TD-23: SET, alone and several in one': [
    ['SET NOCOUNT ON', 'sets nocount = ON'],
    ['set nocount off;', 'sets nocount = OFF'],
    ['SET/**/NOCOUNT/* */ON', 'sets nocount = ON'],
    ['SET\u00a0NOCOUNT\u3000ON', 'sets nocount = ON'],
    ['SET ANSI_NULLS, QUOTED_IDENTIFIER ON', 'sets ansi_nulls = ON', 'sets quoted_identifier = ON'],
    ['SET NOCOUNT ON SET XACT_ABORT ON', 'sets nocount = ON', 'sets xact_abort = ON'],
    ['SELECT 1SET NOCOUNT ON', 'sets nocount = ON'],
    ['SELECT [a]SET NOCOUNT ON', 'sets nocount = ON'],
    ['SET ANSI_NULL_DFLT_OFF ON', 'sets ansi_null_dflt_off = ON', 'sets ansi_null_dflt_on = OFF'],
    ['SET ANSI_NULL_DFLT_ON OFF', 'sets ansi_null_dflt_on = OFF'],
    ['SET ARITHIGNORE ON', 'sets arithignore = ON'],
    ['SET IMPLICIT_TRANSACTIONS ON', `${IMPLICIT}ON`, 'transaction'],
    ['SET DATEFIRST 1', 'sets datefirst = 1'],
    ['SET DATEFIRST 07', 'sets datefirst = 7'],
    ['SET DATEFIRST 9', 'sets datefirst = '],
    ['SET DATEFIRST @d', 'sets datefirst = '],
    ['SET DATEFORMAT dmy', 'sets dateformat = dmy'],
    ["SET DATEFORMAT 'YMD'", 'sets dateformat = ymd'],
    ['SET DATEFORMAT @f', 'sets dateformat = '],
    ['SET LANGUAGE us_english', 'sets language = us_english'],
    ["SET LANGUAGE N'Français'", 'sets language = français'],
    ['SET LANGUAGE [British English]', 'sets language = british english'],
    ['SET LANGUAGE "Deutsch"', 'sets language = deutsch'],
    ['SET LOCK_TIMEOUT 1800', 'sets lock_timeout = 1800'],
    ['SET LOCK_TIMEOUT - 1', 'sets lock_timeout = -1'],
    ['SET LOCK_TIMEOUT -5', 'sets lock_timeout = '],
    ['SET LOCK_TIMEOUT 0x10', 'sets lock_timeout = '],
    ['SET TEXTSIZE 2147483647', 'sets textsize = 2147483647'],
    ['SET TEXTSIZE 0', 'sets textsize = '],
    ['SET ROWCOUNT 10', 'sets rowcount = 10'],
    ['SET ROWCOUNT @n', 'sets rowcount = '],
    ['SET DEADLOCK_PRIORITY LOW', 'sets deadlock_priority = -5'],
    ['SET DEADLOCK_PRIORITY NORMAL', 'sets deadlock_priority = 0'],
    ['SET DEADLOCK_PRIORITY -3', 'sets deadlock_priority = -3'],
    ['SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED', 'sets isolation level = READ UNCOMMITTED'],
    ['set tran isolation level snapshot', 'sets isolation level = SNAPSHOT'],
    ['SET TRANSACTION ISOLATION LEVEL', 'sets isolation level = '],
    ['SET CONTEXT_INFO 0x01020000', 'sets context_info = 0x0102'],
    ['SET CONTEXT_INFO 0x', 'sets context_info = 0x'],
    ['SET CONTEXT_INFO @c', 'sets context_info = '],
    ['SET QUERY_GOVERNOR_COST_LIMIT 0', 'sets query_governor_cost_limit = 0'],
    [
      'SET ANSI_DEFAULTS OFF',
      'sets ansi_nulls = OFF',
      'sets ansi_null_dflt_on = OFF',
      'sets ansi_padding = OFF',
      'sets ansi_warnings = OFF',
      'sets cursor_close_on_commit = OFF',
      `${IMPLICIT}OFF`,
      'sets quoted_identifier = OFF',
      'transaction',
    ],
    ['ALTER TABLE t ADD c int SET NOCOUNT ON', 'sets nocount = ON'],
    ['ALTER DATABASE d SET RECOVERY SIMPLE SET NOCOUNT ON', 'sets nocount = ON'],
    ['UPDATE t SET a = 1 SET NOCOUNT ON', 'sets nocount = ON'],
  ],
  'SET where it may not come to that': [
    ['IF @a = 1 SET NOCOUNT ON', 'sets nocount = ON?'],
    ['IF @a = 1 SELECT 1 ELSE SET DATEFIRST 1', 'sets datefirst = 1?'],
    ['SET NOCOUNT ON; IF 1 = 1 SET NOCOUNT OFF', 'sets nocount = ON', 'sets nocount = OFF?'],
    ['WHILE 1 = 1 BEGIN SET DATEFIRST 1 BREAK END', 'sets datefirst = 1?'],
    ['BEGIN TRY SET NOCOUNT ON END TRY BEGIN CATCH END CATCH', 'sets nocount = ON?'],
    ['RETURN SET NOCOUNT ON', 'sets nocount = ON?'],
    ['GOTO x; SET NOCOUNT ON; x: SELECT 1', 'sets nocount = ON?'],
    ['BEGIN SET NOCOUNT ON END', 'sets nocount = ON'],
    ['DROP TABLE IF EXISTS t; SET NOCOUNT ON', 'sets nocount = ON'],
    ['IF EXISTS (SELECT 1) SET NOCOUNT ON', 'sets nocount = ON?'],
    ['SELECT CASE WHEN 1 = 1 THEN 1 ELSE 2 END SET NOCOUNT ON', 'sets nocount = ON'],
  ],
  'SET that another connection cannot be given': [
    ['SET NOEXEC ON', 'takes setting noexec'],
    ['SET NOEXEC OFF', 'drops setting noexec'],
    [
      'SET FMTONLY ON SELECT a FROM t SET FMTONLY OFF',
      'takes setting fmtonly',
      'drops setting fmtonly',
    ],
    ['SET SHOWPLAN_XML ON', 'takes setting showplan_xml'],
    ['SET PARSEONLY, NOCOUNT ON', 'takes setting parseonly', 'sets nocount = ON'],
    ['SET STATISTICS IO, TIME ON', 'takes setting statistics io', 'takes setting statistics time'],
    ['SET STATISTICS XML OFF', 'drops setting statistics xml'],
    ['SET FORCEPLAN ON', 'takes setting forceplan'],
    ["SET FIPS_FLAGGER 'FULL'", 'takes setting fips_flagger'],
    ['SET FIPS_FLAGGER OFF', 'drops setting fips_flagger'],
    ['SET OFFSETS SELECT, FROM ON', 'takes setting offsets select', 'takes setting offsets from'],
    ['SET REMOTE_PROC_TRANSACTIONS OFF', 'drops setting remote_proc_transactions'],
    [
      'SET IDENTITY_INSERT [dbo].[t] ON; INSERT INTO t (id) VALUES (1); SET IDENTITY_INSERT [dbo].[t] OFF;',
      'takes setting identity_insert dbo.t',
      'drops setting identity_insert dbo.t',
      'inserts',
    ],
    ['SET WHATEVER ON', 'pins setting'],
    ['SET BABELFISH_STATISTICS PROFILE ON', 'pins setting'],
    ['DBCC TRACEON (3604, 3605)', 'takes setting trace 3604', 'takes setting trace 3605'],
    ['DBCC TRACEON (1222, -1)'],
    ['DBCC TRACEOFF(3604) WITH NO_INFOMSGS', 'drops setting trace 3604'],
    ['DBCC TRACEON (@f)', 'pins setting'],
    ['DBCC FREEPROCCACHE'],
  ],
  USE: [
    ['USE d', 'uses d'],
    ['use [a]]b];', 'uses a]b'],
    ['USE "d" SELECT 1', 'uses d'],
    ['USE a USE b', 'uses b'],
    ['IF 1 = 1 USE a', 'uses a'],
  ],
  'TD-25: temporary objects': [
    ['CREATE TABLE #t (a int)', 'takes temporaryObject #t'],
    ['create table [#t] (a int)', 'takes temporaryObject #t'],
    ['CREATE TABLE "#t" (a int)', 'takes temporaryObject #t'],
    ['CREATE TABLE tempdb..#t (a int)', 'takes temporaryObject #t'],
    ['CREATE TABLE tempdb.dbo.##t (a int)', 'takes temporaryObject ##t'],
    ["IF OBJECT_ID('tempdb..#t') IS NULL CREATE TABLE #t (a int)", 'takes temporaryObject #t?'],
    ['SELECT * INTO #t FROM u', 'takes temporaryObject #t'],
    ['WITH c AS (SELECT 1 a) SELECT a INTO [#t] FROM c', 'takes temporaryObject #t'],
    ['SELECT * INTO t FROM u'],
    ['INSERT t VALUES (1) SELECT * INTO #x FROM t', 'takes temporaryObject #x', 'inserts'],
    ['UPDATE t SET a = 1 OUTPUT inserted.a INTO #t', 'takes temporaryObject #t?'],
    ['FETCH NEXT FROM c INTO @a, @b'],
    ['DROP TABLE #t', 'drops temporaryObject #t'],
    [
      'DROP TABLE IF EXISTS #a, tempdb..[#b]',
      'drops temporaryObject #a',
      'drops temporaryObject #b',
    ],
    ['IF 1 = 1 DROP TABLE #t', 'drops temporaryObject #t?'],
    ['CREATE PROCEDURE #p AS SET NOCOUNT ON', 'takes temporaryObject #p'],
    ['DROP PROC #p', 'drops temporaryObject #p'],
    [
      KNEX,
      'takes temporaryObject #out',
      'takes temporaryObject #out?',
      'drops temporaryObject #out',
      'inserts',
    ],
    ['SELECT * FROM #t'],
    ['TRUNCATE TABLE #t'],
    [
      'DECLARE @h int; EXEC sp_xml_preparedocument @h OUTPUT, @xml; EXEC sp_xml_removedocument @h',
      'takes temporaryObject xml document',
      'drops temporaryObject xml document',
    ],
  ],
  cursors: [
    ['DECLARE c CURSOR FOR SELECT 1', 'takes cursor c'],
    ['DECLARE [c] INSENSITIVE SCROLL CURSOR FOR SELECT 1', 'takes cursor c'],
    ['DECLARE c CURSOR GLOBAL FAST_FORWARD FOR SELECT 1', 'takes cursor c'],
    ['DECLARE c CURSOR LOCAL FAST_FORWARD FOR SELECT 1'],
    ['DECLARE @c CURSOR; SET @c = CURSOR FOR SELECT 1'],
    [
      'DECLARE c CURSOR FOR SELECT 1 OPEN c FETCH NEXT FROM c CLOSE c DEALLOCATE c',
      'takes cursor c',
      'drops cursor c',
    ],
    ['DEALLOCATE GLOBAL c', 'drops cursor c'],
    ['DEALLOCATE @c'],
    ["EXEC sp_cursoropen @h OUTPUT, N'select 1'", 'pins cursor', 'inserts', 'transaction'],
  ],
  'TD-26: locks, context, identity of the session': [
    [
      "EXEC sp_getapplock @Resource = 'a', @LockMode = 'Exclusive', @LockOwner = 'Session', @LockTimeout = '3600000'",
      'takes sessionLock a',
    ],
    ["EXEC @r = sys.sp_getapplock N'a', 'Exclusive', 'Session', -1", 'takes sessionLock a'],
    ["EXEC sp_getapplock 'a', 'Exclusive'"],
    ["EXEC sp_getapplock @Resource = 'a', @LockMode = 'Shared', @LockOwner = 'Transaction'"],
    [
      "EXEC sp_getapplock @Resource = @r, @LockMode = 'Shared', @LockOwner = 'Session'",
      'takes sessionLock',
    ],
    [
      "EXEC sp_getapplock @Resource = 'a', @LockMode = 'Shared', @LockOwner = @o",
      'takes sessionLock a',
    ],
    ["EXEC sp_getapplock 'a', 'Shared', 'Session', 0, 'dbo'", 'takes sessionLock'],
    ["IF 1 = 1 EXEC sp_getapplock 'a', 'Shared', 'Session'", 'takes sessionLock a?'],
    ["EXEC sp_releaseapplock @Resource = 'a', @LockOwner = 'Session'", 'drops sessionLock a'],
    ["EXEC sp_releaseapplock 'a', 'Transaction'"],
    ["EXEC sp_set_session_context N'tenant', 5", 'takes sessionContext tenant'],
    [
      "EXEC sys.sp_set_session_context @key = N'tenant', @value = @p, @read_only = 1",
      'takes sessionContext tenant',
    ],
    ["EXEC sp_set_session_context 'tenant', NULL", 'drops sessionContext tenant'],
    ['EXEC sp_set_session_context @k, 1', 'takes sessionContext'],
    ["EXEC sp_setapprole 'r', 'secret'", 'pins hiddenState'],
    ["EXECUTE AS USER = 'u'", 'takes hiddenState execute as'],
    [
      "EXEC AS LOGIN = 'u'; SELECT 1; REVERT;",
      'takes hiddenState execute as',
      'drops hiddenState execute as',
    ],
    ["EXECUTE AS USER = 'u' WITH NO REVERT", 'pins hiddenState'],
    ["EXECUTE AS LOGIN = 'u' WITH COOKIE INTO @c", 'pins hiddenState'],
    ['IF 1 = 1 REVERT', 'drops hiddenState execute as?'],
    ["SETUSER 'u'", 'pins hiddenState'],
    ["EXEC sp_bindsession 'x'", 'pins hiddenState'],
    ["EXEC sp_OACreate 'x', @o OUT", 'pins hiddenState', 'inserts', 'transaction'],
    ['OPEN SYMMETRIC KEY k DECRYPTION BY CERTIFICATE c', 'takes hiddenState key k'],
    ['CLOSE SYMMETRIC KEY k', 'drops hiddenState key k'],
    ["OPEN MASTER KEY DECRYPTION BY PASSWORD = 'x'", 'takes hiddenState key'],
    ['CLOSE ALL SYMMETRIC KEYS', 'dropsAll hiddenState key'],
  ],
  transactions: [
    ['BEGIN TRAN', 'transaction'],
    ['begin transaction x with mark', 'transaction'],
    ['COMMIT', 'transaction'],
    ['IF @@TRANCOUNT > 0 ROLLBACK TRAN', 'transaction'],
    ['SAVE TRAN s', 'transaction'],
    ['BEGIN DISTRIBUTED TRANSACTION', 'takes globalTransaction', 'transaction'],
    ['BEGIN SELECT 1 END'],
    ['BEGIN TRY SELECT 1 END TRY BEGIN CATCH THROW END CATCH'],
    ["SELECT 'begin tran' -- commit"],
  ],
  'calls of procedures': [
    ['EXEC p', 'inserts', 'transaction'],
    ['exec [a].[b].[p] @x = 1, @y = @z output', 'inserts', 'transaction'],
    ['p', 'inserts', 'transaction'],
    ['[p] 1', 'inserts', 'transaction'],
    ['sp_who'],
    ['EXEC sp_who2'],
    ['dbo.p @a = 1', 'inserts', 'transaction'],
    ['x: SELECT 1'],
    ['EXEC @p', 'inserts', 'transaction'],
    ['EXEC p;2 @a = 1', 'inserts', 'transaction'],
    ['{call p(1, 2)}', 'inserts', 'transaction'],
    ['{? = call p(1)}', 'inserts', 'transaction'],
    ["EXEC sys.sp_helpindex @objname = N'[t]'"],
    ['exec sp_datatype_info_100 93, @ODBCVer = 4'],
    ['EXEC p SET NOCOUNT ON', 'sets nocount = ON', 'inserts', 'transaction'],
    ['EXEC p @a = 1 SET NOCOUNT ON', 'sets nocount = ON', 'inserts', 'transaction'],
    [
      'EXEC p @a = DEFAULT, @b = NULL OUTPUT SET NOCOUNT ON',
      'sets nocount = ON',
      'inserts',
      'transaction',
    ],
    ["EXEC sp_foo 'SET NOCOUNT ON'", 'inserts', 'transaction'],
    [
      "EXEC sp_prepare @h OUTPUT, NULL, N'select 1'",
      'pins preparedStatement',
      'inserts',
      'transaction',
    ],
    ["EXEC ('SET NOCOUNT ON')", 'sets nocount = ON? within'],
    ["EXEC ('USE d SELECT 1')"],
    ["EXEC (N'begin ' + N'tran')", 'transaction'],
    [
      "EXEC ('create table ##t (a int)' + ' create table #u (a int)')",
      'takes temporaryObject ##t',
      'takes temporaryObject #u? within',
    ],
    ["IF 1 = 1 EXEC ('create table ##t (a int)')", 'takes temporaryObject ##t?'],
    ['EXEC (@sql)', 'inserts', 'transaction'],
    ["EXEC ('select 1' + @x)", 'inserts', 'transaction'],
    ["EXEC ('EXEC (''SET CONTEXT_INFO 0x01'')')", 'sets context_info = 0x01'],
    ["EXEC sp_executesql N'DECLARE c CURSOR FOR SELECT @a', N'@a int', @a = 1", 'takes cursor c'],
    ['EXEC sp_executesql @sql', 'inserts', 'transaction'],
  ],
  'what is made with a body is not run': [
    ['CREATE PROCEDURE p AS BEGIN SET NOCOUNT ON; EXEC q; BEGIN TRAN END'],
    ['CREATE OR ALTER PROC p WITH EXECUTE AS OWNER AS SET DATEFIRST 1'],
    ['/* x */ ALTER PROCEDURE p AS USE d'],
    ['CREATE FUNCTION f() RETURNS int AS BEGIN RETURN 1 END'],
    ['CREATE TRIGGER t ON u AFTER INSERT AS SET NOCOUNT ON INSERT v SELECT @@IDENTITY'],
    ['CREATE VIEW v AS SELECT 1 a'],
    // Together with something else it is an error.
    ['SELECT 1 CREATE PROC p AS SET NOCOUNT ON', 'sets nocount = ON?'],
  ],
  'what the statement before has left': [
    ['SELECT @@IDENTITY', 'asks'],
    ['select scope_identity() as id', 'asks'],
    ['SELECT SCOPE_IDENTITY ( )', 'asks'],
    ['SELECT @@ROWCOUNT', 'asks'],
    ['SELECT ROWCOUNT_BIG()', 'asks'],
    ['IF @@ERROR <> 0 SELECT 1', 'asks'],
    ['SELECT 1; SELECT @@IDENTITY', 'asks'],
    ['SELECT 1; SELECT @@ROWCOUNT'],
    ['INSERT INTO t VALUES (@@IDENTITY)', 'asks', 'inserts'],
    ['INSERT INTO t SELECT @@ROWCOUNT', 'asks', 'inserts'],
    ['INSERT INTO t (a) VALUES (1); SELECT SCOPE_IDENTITY()', 'inserts'],
    ['INSERT INTO t (a) VALUES (1) SELECT @@IDENTITY', 'inserts'],
    ['INSERT INTO t (a) SELECT 1 SELECT @@IDENTITY', 'inserts'],
    ['UPDATE t SET a = 1 IF @@ROWCOUNT = 0 INSERT t VALUES (1)', 'inserts'],
    ['UPDATE t SET a = @@ROWCOUNT', 'asks'],
    ['SELECT CASE WHEN 1 = 1 THEN 1 END, @@ROWCOUNT', 'asks'],
    ['SELECT (SELECT 1), @@ROWCOUNT', 'asks'],
    ['SELECT 1 UNION ALL SELECT @@ROWCOUNT', 'asks'],
    ['EXEC p; SELECT @@IDENTITY', 'inserts', 'transaction'],
    ["SELECT '@@identity', [scope_identity], IDENT_CURRENT('t')"],
    ['DELETE FROM t WHILE @@ROWCOUNT > 0 DELETE FROM t'],
  ],
  'what stands behind what looks like a dot, or like an ON': [
    ["SELECT '.' SET NOCOUNT ON", 'sets nocount = ON'],
    ["SELECT ')' INTO #t", 'takes temporaryObject #t'],
    ['SET NOCOUNT ON INSERT INTO t VALUES (1) SELECT @@IDENTITY', 'sets nocount = ON', 'inserts'],
    ['SET NOCOUNT ON SELECT * INTO #t FROM u', 'sets nocount = ON', 'takes temporaryObject #t'],
    ['SET XACT_ABORT ON DELETE FROM t SELECT @@ROWCOUNT', 'sets xact_abort = ON'],
    ["EXEC ('SET NO\\\nCOUNT ON BEG\\\nIN TRAN')", 'sets nocount = ON? within', 'transaction'],
  ],
  'what nobody reads for sure': [
    ['SELECT 1 -- a\rSET NOCOUNT ON', 'unsure'],
    ['SELECT 1\0', 'unsure'],
    ['SELECT 1eset', 'unsure'],
  ],
  'what drivers and programs begin with': [
    [
      TEDIOUS,
      'sets ansi_nulls = ON',
      'sets ansi_null_dflt_on = ON',
      'sets ansi_null_dflt_off = OFF',
      'sets ansi_padding = ON',
      'sets ansi_warnings = ON',
      'sets arithabort = ON',
      'sets concat_null_yields_null = ON',
      'sets datefirst = 7',
      'sets dateformat = mdy',
      `${IMPLICIT}OFF`,
      'sets language = us_english',
      'sets numeric_roundabort = OFF',
      'sets quoted_identifier = ON',
      'sets textsize = 2147483647',
      'sets isolation level = READ COMMITTED',
      'sets xact_abort = OFF',
      'transaction',
    ],
    [
      SSMS,
      'sets rowcount = 0',
      'sets textsize = 2147483647',
      'sets nocount = OFF',
      'sets concat_null_yields_null = ON',
      'sets arithabort = ON',
      'sets lock_timeout = -1',
      'sets query_governor_cost_limit = 0',
      'sets deadlock_priority = 0',
      'sets isolation level = READ COMMITTED',
      'sets ansi_nulls = ON',
      'sets ansi_null_dflt_on = ON',
      'sets ansi_null_dflt_off = OFF',
      'sets ansi_padding = ON',
      'sets ansi_warnings = ON',
      'sets cursor_close_on_commit = OFF',
      `${IMPLICIT}OFF`,
      'sets quoted_identifier = ON',
      'transaction',
    ],
    // jTDS
    [
      'SELECT @@MAX_PRECISION\r\nSET TRANSACTION ISOLATION LEVEL READ COMMITTED\r\nSET IMPLICIT_TRANSACTIONS OFF\r\nSET QUOTED_IDENTIFIER ON\r\nSET TEXTSIZE 2147483647',
      'sets isolation level = READ COMMITTED',
      `${IMPLICIT}OFF`,
      'sets quoted_identifier = ON',
      'sets textsize = 2147483647',
      'transaction',
    ],
    // mssql-jdbc, ODBC
    ['set implicit_transactions on ', `${IMPLICIT}ON`, 'transaction'],
    ['IF @@TRANCOUNT > 0 COMMIT TRAN', 'transaction'],
    ['SET LOCK_TIMEOUT -1 ', 'sets lock_timeout = -1'],
    ["exec sp_executesql N'SELECT 1'"],
    // pymssql
    [
      'SET ARITHABORT ON;SET CONCAT_NULL_YIELDS_NULL ON;SET CURSOR_CLOSE_ON_COMMIT ON;SET TEXTSIZE 2147483647;',
      'sets arithabort = ON',
      'sets concat_null_yields_null = ON',
      'sets cursor_close_on_commit = ON',
      'sets textsize = 2147483647',
    ],
    // Entity Framework Core
    [
      'SET IMPLICIT_TRANSACTIONS OFF;\r\nSET NOCOUNT ON;\r\nINSERT INTO [Blogs] ([Url])\r\nOUTPUT INSERTED.[Id]\r\nVALUES (@p0);\r\n',
      `${IMPLICIT}OFF`,
      'sets nocount = ON',
      'inserts',
      'transaction',
    ],
    // Sequelize
    [
      "IF OBJECT_ID('[users]', 'U') IS NULL CREATE TABLE [users] ([id] INTEGER NOT NULL IDENTITY(1,1));",
    ],
    [
      'DECLARE @tmp TABLE ([id] INTEGER); INSERT INTO [users] ([name]) OUTPUT INSERTED.[id] INTO @tmp VALUES (@0); SELECT * FROM @tmp;',
      'inserts',
    ],
    // Django
    ['SET DATEFIRST 7', 'sets datefirst = 7'],
    // SQLAlchemy
    ['INSERT INTO t (a) VALUES (@P1); select scope_identity()', 'inserts'],
    ["select CAST('test max support' AS NVARCHAR(max))"],
    // Rails
    [
      'SET CURSOR_CLOSE_ON_COMMIT OFF\nSET IMPLICIT_TRANSACTIONS OFF',
      'sets cursor_close_on_commit = OFF',
      `${IMPLICIT}OFF`,
      'transaction',
    ],
    // Flyway
    [
      "DECLARE @r INT; EXEC @r = sp_getapplock @Resource = 'Flyway', @LockMode = 'Exclusive', @LockOwner = 'Session', @LockTimeout = '3600000'; SELECT @r",
      'takes sessionLock Flyway',
    ],
    // Row-level security by tenant
    ["EXEC sp_set_session_context @key=N'TenantId', @value=@0", 'takes sessionContext TenantId'],
  ],
};

describe('a batch', () => {
  for (const [name, rows] of Object.entries(batches)) {
    test.each(rows.map((row) => [row[0], row]))(`${name}: %j`, (_, [sql, ...effects]) => {
      const classifier = new Classifier();
      expect(told(classifier.batch(sql)).toSorted()).toEqual(effects.toSorted());
      // The second time from memory.
      expect(told(classifier.batch(sql)).toSorted()).toEqual(effects.toSorted());
    });
  }

  test('each beginning of one is read', () => {
    const classifier = new Classifier();
    for (const rows of Object.values(batches))
      for (const [sql] of rows)
        for (let end = 0; end <= sql.length; end += 1) classifier.batch(sql.slice(0, end));
  });

  test('is told in its order', () => {
    const effects = judge(
      'SET NOCOUNT ON SET NOCOUNT OFF CREATE TABLE #a (i int) DROP TABLE #a',
      'batch',
    );
    expect(told(effects)).toEqual([
      'sets nocount = ON',
      'sets nocount = OFF',
      'takes temporaryObject #a',
      'drops temporaryObject #a',
    ]);
  });

  test('of texts within texts within texts is read to the end', () => {
    let text = 'begin tran';
    for (let i = 0; i < 5; i += 1) text = `EXEC ('${text.replaceAll("'", "''")}')`;
    expect(told(judge(text, 'batch'))).toEqual(['transaction']);
  });

  test('that sets more than anybody needs is not trusted', () => {
    expect(told(judge('SET NOCOUNT ON '.repeat(2_000), 'batch'))).toEqual(['unsure']);
  });
});
