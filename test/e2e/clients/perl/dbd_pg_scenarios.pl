# DBD::Pg through Sluice: scenario by scenario, found by libpq's environment.

use strict;
use warnings FATAL => 'all';
use DBI;
use FindBin;
use DBD::Pg qw(:async);

# One time zone for each client of a crowd: no two alike, and more than there are connections.
my @ZONES = qw(Asia/Tokyo America/New_York Europe/Berlin Pacific/Auckland
  Africa/Cairo Asia/Kolkata America/Sao_Paulo Australia/Perth);
my $ROUNDS = 4;

sub connect_one {
    my (%more) = @_;
    my $dbh = DBI->connect( 'dbi:Pg:', '', '', { RaiseError => 1, PrintError => 0, AutoCommit => 1, %more } );
    $dbh->{PrintWarn} = 0;
    return $dbh;
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

# The SQLSTATE of the error that must come.
sub failing {
    my ( $dbh, $work ) = @_;
    die 'no error' if eval { $work->(); 1 };
    return $dbh->state;
}

sub ask {
    my ( $dbh, $query, @values ) = @_;
    return join '|', $dbh->selectrow_array( $query, undef, @values );
}

my %scenarios = (

    version => sub {
        same( 'app', ask( connect_one(), 'SELECT current_user' ) );
        print "$DBD::Pg::VERSION\n";
    },

    # Each client sees its own (PG-52, GX-01).
    settings => sub {
        my @clients = crowd();
        for my $n ( 0 .. $#clients ) {
            $clients[$n]->do("SET TIME ZONE '$ZONES[$n]'");
            $clients[$n]->do("SET search_path TO app, 'own $n'");
            $clients[$n]->do( q{SELECT set_config('app.name', ?, false)}, undef, "it's $n" );
            $clients[$n]->do('SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY') if $n % 2;
        }
        for ( 1 .. $ROUNDS ) {
            for my $n ( 0 .. $#clients ) {
                my $seen = ask( $clients[$n], q{SELECT current_setting('TimeZone'), current_setting('search_path'),
                    current_setting('app.name'), current_setting('transaction_read_only')} );
                same( qq{$ZONES[$n]|app, "own $n"|it's $n|} . ( $n % 2 ? 'on' : 'off' ), $seen );
                die 'no ping' if !$clients[$n]->ping;
            }
        }
    },

    # A setting whose name is a parameter's value: the statement does not show which it is (PG-57).
    setting_by_parameters => sub {
        my ( $one, @others ) = crowd();
        $one->do( 'SELECT set_config(?, ?, false)', undef, 'app.name', 'mine' );
        for ( 1 .. $ROUNDS ) {
            for my $other (@others) {
                same( '', ask( $other, q{SELECT coalesce(current_setting('app.name', true), '')} ) );
                same( 'mine', ask( $one, q{SELECT current_setting('app.name')} ) );
            }
        }
    },

    # `dbdpg_p…_1` in all clients: named from the second execution on, DEALLOCATE when a handle goes (PG-84, PG-85).
    prepared => sub {
        my @clients = crowd( pg_switch_prepared => 1 );
        my @kept    = map { $clients[$_]->prepare("SELECT $_, ?::int") } 0 .. $#clients;
        for my $round ( 1 .. $ROUNDS ) {
            for my $n ( 0 .. $#clients ) {
                same( "$n|$round", ask( $clients[$n], $kept[$n], $round ) );
                my $short = $clients[$n]->prepare("SELECT $n * 10 + ?::int");
                same( $n * 10 + $_, ask( $clients[$n], $short, $_ ) ) for 1 .. 3;
                my $bad = $clients[$n]->prepare('SELECT 1 / ?::int');
                same( 1, ask( $clients[$n], $bad, 1 ) );
                same( '22012', failing( $clients[$n], sub { ask( $clients[$n], $bad, 0 ) } ) );
            }
        }
    },

    # `pg_server_prepare => 0`, and PREPARE as people write it themselves (PG-92).
    other_prepares => sub {
        my @clients = crowd( pg_server_prepare => 0 );
        $clients[$_]->do("PREPARE plan (int) AS SELECT $_ * 100 + \$1") for 0 .. $#clients;
        for my $round ( 1 .. $ROUNDS ) {
            for my $n ( 0 .. $#clients ) {
                same( $n * 100 + $round, ask( $clients[$n], "EXECUTE plan ($round)" ) );
                same( $n + $round, ask( $clients[$n], "SELECT $n + ?::int", $round ) );
            }
        }
        $_->do('DEALLOCATE ALL') for @clients;
        same( '26000', failing( $_, sub { ask( $_, 'EXECUTE plan (1)' ) } ) ) for @clients;
    },

    # Savepoints and failures with AutoCommit off; statements prepared before live through it.
    transactions => sub {
        my @clients = crowd( AutoCommit => 0, pg_switch_prepared => 1 );
        $clients[0]->do('DROP TABLE IF EXISTS app.stock');
        $clients[0]->do('CREATE TABLE app.stock (n int PRIMARY KEY, stock int)');
        $clients[0]->commit;
        for my $n ( 0 .. $#clients ) {
            my $dbh    = $clients[$n];
            my $insert = $dbh->prepare('INSERT INTO app.stock VALUES (?, ?)');
            $insert->execute( $n, 10 );
            $dbh->pg_savepoint('s');
            same( '23505', failing( $dbh, sub { $insert->execute( $n, 10 ) } ) );
            $dbh->pg_rollback_to('s');
            $insert->execute( $n + 100, 10 );
            $n % 2 ? $dbh->rollback : $dbh->commit;
            $insert->execute( $n + 200, 10 );
            $dbh->commit;
        }
        same( 8 * 10 + 8 * 10, ask( $clients[0], 'SELECT sum(stock) FROM app.stock' ) );
        $clients[0]->do('DROP TABLE app.stock');
        $clients[0]->commit;
        $_->disconnect for @clients;
    },

    # COPY both ways, a large object by function calls, questions asked before others are answered (PG-09, PG-11).
    copies => sub {
        my @clients = crowd();
        my $dbh     = $clients[0];
        $dbh->do('DROP TABLE IF EXISTS app.copied');
        $dbh->do('CREATE TABLE app.copied (n int)');
        $dbh->do('COPY app.copied FROM STDIN');
        $dbh->pg_putcopydata("$_\n") for 1 .. 1000;
        $dbh->pg_putcopyend;
        $dbh->do('COPY app.copied TO STDOUT');
        my ( $line, $count ) = ( '', 0 );
        $count++ while $dbh->pg_getcopydata($line) >= 0;
        same( 1000, $count );
        $dbh->do('DROP TABLE app.copied');
        $dbh->begin_work;
        my $oid = $dbh->pg_lo_creat( $dbh->{pg_INV_WRITE} | $dbh->{pg_INV_READ} );
        my $fd  = $dbh->pg_lo_open( $oid, $dbh->{pg_INV_WRITE} | $dbh->{pg_INV_READ} );
        same( 300_000, $dbh->pg_lo_write( $fd, 'large object' x 25_000, 300_000 ) );
        same( 0, $dbh->pg_lo_lseek( $fd, 0, 0 ) );
        my $buffer = '';
        same( 300_000, $dbh->pg_lo_read( $fd, $buffer, 300_000 ) );
        same( 'large object' x 25_000, $buffer );
        $dbh->pg_lo_unlink($oid);
        $dbh->commit;
        my @asked = map { $_->prepare( 'SELECT ?::int', { pg_async => PG_ASYNC } ) } @clients;
        $asked[$_]->execute($_) for 0 .. $#asked;

        for my $n ( 0 .. $#asked ) {
            $clients[$n]->pg_result;
            same( $n, $asked[$n]->fetchrow_array );
        }
    },

    # last_insert_id() is currval(…), which the session keeps: in a transaction (PG-66).
    last_insert_id => sub {
        my @clients = crowd( AutoCommit => 0 );
        $clients[0]->do('DROP TABLE IF EXISTS app.numbered');
        $clients[0]->do('CREATE TABLE app.numbered (id serial PRIMARY KEY, n int)');
        $clients[0]->commit;
        for my $n ( 0 .. $#clients ) {
            $clients[$n]->do( 'INSERT INTO app.numbered (n) VALUES (?)', undef, $n );
            same( $n + 1, $clients[$n]->last_insert_id( undef, 'app', 'numbered', undef ) );
            $clients[$n]->commit;
            $clients[$n]->disconnect if $n > 0;
        }
        $clients[0]->do('DROP TABLE app.numbered');
        $clients[0]->commit;
        $clients[0]->disconnect;
    },

    # LISTEN pins until UNLISTEN (PG-69).
    listen => sub {
        my @clients = crowd();
        for my $n ( 0 .. $#clients ) {
            $clients[$n]->do('LISTEN news');
            $clients[ $n - 1 ]->do("NOTIFY news, '$n'");
            my $heard;
            1 until $heard = $clients[$n]->pg_notifies;
            same( "news|$n", join '|', @{$heard}[ 0, 2 ] );
            $clients[$n]->do('UNLISTEN news');
        }
    },
);

require "$FindBin::Bin/play.pl";
play(%scenarios);
