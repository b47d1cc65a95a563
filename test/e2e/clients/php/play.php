<?php

/** Plays the scenarios whose names come by standard input, and prints the name of each that it has played. */
function play(): void
{
    while (($line = fgets(STDIN)) !== false) {
        $name = trim($line);
        $name();
        echo "$name\n";
    }
}
