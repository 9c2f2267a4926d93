"""perl: strings, hashes, regular expressions and sorting."""

import real

SCRIPT = r"""
use strict;
my (%count, @words);
for my $i (1 .. 20000) {
    my $word = "w" . ($i * 7919 % 3001);
    $count{$word}++;
    push @words, "$word-" . ("x" x ($i % 50));
}
for my $word (sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count) {
    printf "%s %d\n", $word, $count{$word} if $word =~ /^w(\d)\1/;
}
my $text = join ",", @words;
my $found = () = $text =~ /(w\d+)-x{10,20},(?=w1)/g;
$text =~ s/x+/y/g;
print length($text), " $found\n";
my @tree = map { { name => $_, children => [ map { [ $_, "leaf $_" ] } 1 .. 20 ] } } 1 .. 500;
print scalar(@tree), " ", $tree[499]{children}[19][1], "\n";
"""


def checks(tap):
    real.check_program(tap, "perl", [real.need("perl"), "-e", SCRIPT], env={"PERL_HASH_SEED": "0"})


real.main("perl", checks)
