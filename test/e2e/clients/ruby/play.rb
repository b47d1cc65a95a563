# frozen_string_literal: true

# The scenarios whose names come by standard input; prints the name of each that it has played.
def play
  $stdin.each_line(chomp: true) do |name|
    yield name
    puts name
    $stdout.flush
  end
end
