# Plays the scenarios whose names come by standard input, and prints the name of each that it has played.
use strict;
use warnings FATAL => 'all';

sub play {
    my %scenarios = @_;
    $| = 1;
    while ( my $name = <STDIN> ) {
        chomp $name;
        $scenarios{$name}->();
        print "$name\n";
    }
}

1;
