# SPDX-License-Identifier: MIT
# fish completion for tcptriage: every list comes from the program itself (tcptriage --complete KIND), which prints what fish
# wants: a word, a tab, a description.

# Prints the lines of kind $argv[2]; each begins with $argv[3] where given. Status 1 when there are none.
function __tcptriage_offer
    set -l lines ($argv[1] --complete $argv[2] 2>/dev/null)
    test (count $lines) -gt 0; or return 1
    switch $lines[1]
        case @files
            __fish_complete_path (commandline -ct)
        case @dirs
            __fish_complete_directories (commandline -ct)
        case @value
        case '*'
            printf "%s\n" "$argv[3]"$lines
    end
    return 0
end

function __tcptriage_complete
    set -l tokens (commandline -opc)
    set -l typed (commandline -ct)
    set -l program $tokens[1]
    set -l previous $tokens[-1]
    set -l prefix ''

    if test (count $tokens) -eq 1; and not string match -q -- '-*' $typed
        __tcptriage_offer $program commands
        return
    end
    set -l command report
    if test (count $tokens) -gt 1; and not string match -q -- '-*' $tokens[2]
        set command $tokens[2]
    end
    if string match -q -- '--*=*' $typed
        set previous (string replace -r '=.*' '' -- $typed)
        set prefix $previous=
        set typed (string replace -r '^[^=]*=' '' -- $typed)
    end
    if string match -q -- '-*' $previous
        if test "$previous" = --columns
            set prefix $prefix(string match -r -- '.*,' $typed)
        end
        __tcptriage_offer $program values:$command:$previous $prefix; and return
    end
    if string match -q -- '-*' $typed
        __tcptriage_offer $program options:$command
        return
    end
    __tcptriage_offer $program operands:$command:$previous
end

complete -c tcptriage -f -a '(__tcptriage_complete)'
