# DBD::mysql or DBD::MariaDB through Sluice: the driver's name and scenario by scenario, found by `DB_HOST` and so on.

use strict;
use warnings FATAL => 'all';
use DBI;
use FindBin;

# For each client of a crowd: no two alike, and more than there are connections.
my @ZONES = qw(+00:00 +09:00 -05:00 +01:30 +05:45 +10:00);
my $ROUNDS = 4;

my $driver = $ARGV[0];
# DBD::mysql and DBD::MariaDB call the same things by names that begin with their own.
my $prefix = lc $driver;

sub connect_one {
    my (%more) = @_;
    my $dsn = "dbi:$driver:database=$ENV{DB_NAME};host=$ENV{DB_HOST};port=$ENV{DB_PORT}";
    # Debian's DBD::mysql has a library with which it cannot insist.
    $dsn .= ';mysql_ssl_optional=1' if $driver eq 'mysql';
    $dsn .= ";${prefix}_ssl=1;${prefix}_ssl_ca_file=$ENV{DB_CA};${prefix}_ssl_verify_server_cert=1"
      if ( $ENV{DB_TLS} // '' ) eq 'verify-full';
    return DBI->connect( $dsn, $ENV{DB_USER}, $ENV{DB_PASSWORD},
        { RaiseError => 1, PrintError => 0, AutoCommit => 1, %more } );
}

sub crowd {
    my (%more) = @_;
    return map { connect_one(%more) } @ZONES;
}

sub same {
    my ( $expected, $seen ) = @_;
    $seen // die "expected $expected, not NULL";
    die sprintf 'expected %.80s, not %.80s', $expected, $seen if $expected ne $seen;
    return;
}

# The number of the error that must come.
sub failing {
    my ( $dbh, $work ) = @_;
    die 'no error' if eval { $work->(); 1 };
    return $dbh->err;
}

sub ask {
    my ( $dbh, $query, @values ) = @_;
    return join '|', map { $_ // 'NULL' } $dbh->selectrow_array( $query, undef, @values );
}

my %scenarios = (

    version => sub {
        same( 'app', ( split /@/, ask( connect_one(), 'SELECT CURRENT_USER()' ) )[0] );
        no strict 'refs';
        print ${"DBD::${driver}::VERSION"}, "\n";
    },

    # Each client sees its own (traps GX-01, MY-45, MY-47).
    settings => sub {
        my @clients = crowd();
        for my $n ( 0 .. $#clients ) {
            $clients[$n]->do('SET NAMES utf8mb4');
            $clients[$n]->do( 'SET time_zone = ?',    undef, $ZONES[$n] );
            $clients[$n]->do( 'SET @tenant = ?',      undef, "it's $n" );
            $clients[$n]->do( 'SET SESSION sql_mode = ?', undef, $n % 2 ? 'ANSI_QUOTES' : '' );
        }
        for ( 1 .. $ROUNDS ) {
            for my $n ( 0 .. $#clients ) {
                same(
                    join( '|', $ZONES[$n], "it's $n", $n % 2 ? 'ANSI_QUOTES' : '', 'utf8mb4' ),
                    ask( $clients[$n], 'SELECT @@time_zone, @tenant, @@sql_mode, @@character_set_client' )
                );
            }
        }
    },

    # Prepared by the server, and not (traps MY-60, MY-62).
    prepared => sub {
        for my $prepares ( 0, 1 ) {
            my @clients = crowd( "${prefix}_server_prepare" => $prepares );
            my @kept = map { $clients[$_]->prepare("SELECT $_, CONCAT(?), ? + 0") } 0 .. $#clients;
            for my $round ( 1 .. $ROUNDS ) {
                for my $n ( 0 .. $#clients ) {
                    $kept[$n]->execute( "it's $n", $round );
                    same( "$n|it's $n|$round", join '|', $kept[$n]->fetchrow_array );
                    $kept[$n]->finish;
                    same( "$n$_", ask( $clients[$n], "SELECT CONCAT($n, ?)", $_ ) ) for 1 .. 3;
                    same( 1054, failing( $clients[$n], sub { ask( $clients[$n], 'SELECT nothing + ?', 1 ) } ) );
                }
            }
        }
    },

    # With savepoints, failures and last_insert_id (traps MY-41, MY-44, MY-48).
    transactions => sub {
        my @clients = crowd( AutoCommit => 0 );
        connect_one()->do('CREATE TABLE numbered (id INT AUTO_INCREMENT PRIMARY KEY, n INT)');
        for my $round ( 1 .. $ROUNDS ) {
            for my $n ( 0 .. $#clients ) {
                my $dbh = $clients[$n];
                $dbh->do( 'INSERT INTO numbered (n) VALUES (?)', undef, $n );
                my $id = $dbh->last_insert_id( undef, undef, 'numbered', 'id' );
                same( $id, ask( $dbh, 'SELECT LAST_INSERT_ID()' ) );
                $dbh->do('SAVEPOINT s');
                same( 1062, failing( $dbh, sub { $dbh->do("INSERT INTO numbered VALUES ($id, 0)") } ) );
                $dbh->do('ROLLBACK TO SAVEPOINT s');
                $round % 2 ? $dbh->commit : $dbh->rollback;
            }
        }
        for my $n ( 0 .. $#clients ) {
            same( $ROUNDS / 2, ask( $clients[$n], 'SELECT COUNT(*) FROM numbered WHERE n = ?', $n ) );
            $clients[$n]->rollback;
        }
        connect_one()->do('DROP TABLE numbered');
    },

    # Rows as they come, and several results of a procedure (trap MY-08).
    results => sub {
        connect_one()->do('CREATE PROCEDURE both_of(n INT) BEGIN SELECT n; SELECT n + 1; END');
        for my $n ( 0 .. $#ZONES ) {
            my $dbh = connect_one();
            my $sth = $dbh->prepare(
                'WITH RECURSIVE s (g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM s WHERE g < 900) SELECT g FROM s',
                { $driver eq 'mysql' ? ( mysql_use_result => 1 ) : () } );
            $sth->execute;
            my $sum = 0;
            while ( my ($g) = $sth->fetchrow_array ) { $sum += $g }
            same( 405450, $sum );
            $sth = $dbh->prepare("CALL both_of($n)");
            $sth->execute;
            same( $n, ( $sth->fetchrow_array )[0] );
            $sth->more_results;
            same( $n + 1, ( $sth->fetchrow_array )[0] );
        }
        connect_one()->do('DROP PROCEDURE both_of');
    },

    # Each pins until it is dropped or released (trap MY-47).
    temporary_tables => sub {
        my @clients = crowd();
        for my $n ( 0 .. $#clients ) {
            $clients[$n]->do('CREATE TEMPORARY TABLE scratch (n INT)');
            $clients[$n]->do("INSERT INTO scratch VALUES ($n)");
            same( $n, ask( $clients[$n], 'SELECT n FROM scratch' ) );
            $clients[$n]->do('DROP TEMPORARY TABLE scratch');
        }
    },

    locks => sub {
        my @clients = crowd();
        for my $n ( 0 .. $#clients ) {
            same( 1, ask( $clients[$n], 'SELECT GET_LOCK(?, 10)', 'lock' ) );
            same( $n, ask( $clients[$n], 'SELECT ?', $n ) );
            same( 1, ask( $clients[$n], 'SELECT RELEASE_LOCK(?)', 'lock' ) );
        }
    },
);

require "$FindBin::Bin/../../perl/play.pl";
play(%scenarios);
