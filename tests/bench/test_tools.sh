#!/bin/sh
# SPDX-License-Identifier: MIT
# The tools of scripts/bench agree: as many sockets as were asked for are made, dumped and found below /proc.
# usage: test_tools.sh MANY_SOCKETS FLOOR FDSCAN
set -eu

if [ "${INSIDE_NAMESPACE:-}" = "" ]; then
	unshare --net --pid --fork --mount-proc true 2>/dev/null || {
		echo "skipped: no namespace of our own: not root"
		exit 77
	}
	INSIDE_NAMESPACE=yes exec unshare --net --pid --fork --mount-proc --kill-child=SIGKILL "$0" "$@"
fi

expect() {
	[ "$2" = "$3" ] || {
		echo "$1: $2, not $3"
		exit 1
	}
}

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkfifo "$dir/hold" "$dir/ready"
"$1" --sockets 401 --destinations 7 --per-process 100 <"$dir/hold" >"$dir/ready" &
exec 3>"$dir/hold"
read -r line <"$dir/ready"
expect "many_sockets" "$line" "ready 401"
expect "all states" "$("$2" 46 tcp fff 0)" 401
expect "with tcp_info" "$("$2" 46 tcp fff 2)" 401
expect "established" "$("$2" 4 tcp 2 0)" 396
expect "listening" "$("$2" 4 tcp 400 0)" 5
expect "two questions" "$("$2" 4 tcp 400 0 6 udp fff 0)" 5
expect "descriptors" "$("$3")" 401
exec 3>&-
wait
expect "afterwards" "$("$2" 46 tcp fff 0)" 0
