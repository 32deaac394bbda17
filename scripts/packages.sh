# SPDX-License-Identifier: MIT
# What quickstart and quicktest share: which package manager this machine has, and how packages get in. Sourced, not run.

say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
	say "$*"
	exit 1
}

# Root runs a command as it is, everybody else through sudo where there is one.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		say "needs root for: $*"
		return 1
	fi
}

package_manager() {
	for tool in apt-get dnf apk; do
		if command -v "$tool" >/dev/null 2>&1; then
			echo "$tool"
			return 0
		fi
	done
	return 1
}

# packages_for SET MANAGER: the names that a distribution gives to what the set "build" or "test" needs.
packages_for() {
	case "$1/$2" in
	build/apt-get) echo gcc libc6-dev meson ninja-build pkg-config libmnl-dev libsmartcols-dev libpcap-dev zlib1g-dev libzstd-dev libcap-ng-dev libseccomp-dev ;;
	build/dnf) echo gcc glibc-devel meson ninja-build pkgconf-pkg-config libmnl-devel libsmartcols-devel libpcap-devel zlib-devel libzstd-devel libcap-ng-devel libseccomp-devel ;;
	build/apk) echo build-base linux-headers meson samurai pkgconf libmnl-dev util-linux-dev libpcap-dev zlib-dev zstd-dev libcap-ng-dev libseccomp-dev ;;
	test/apt-get) echo clang libclang-rt-dev libcmocka-dev python3 python3-jsonschema iproute2 netbase nftables mandoc procps util-linux zsh fish tcpdump tshark gdb iputils-tracepath traceroute ;;
	test/dnf) echo clang compiler-rt libasan libubsan libcmocka-devel python3 python3-jsonschema iproute nftables mandoc procps-ng util-linux zsh fish tcpdump wireshark-cli gdb iputils traceroute ;;
	test/apk) echo clang compiler-rt cmocka-dev python3 py3-jsonschema iproute2 nftables mandoc procps util-linux zsh fish tcpdump tshark gdb iputils-tracepath traceroute ;;
	*) return 1 ;;
	esac
}

package_is_there() {
	case "$1" in
	apt-get) [ "$(dpkg-query -W -f '${db:Status-Status}' "$2" 2>/dev/null)" = installed ] ;;
	dnf) rpm -q --whatprovides "$2" >/dev/null 2>&1 ;;
	apk) apk info -e "$2" >/dev/null 2>&1 ;;
	esac
}

packages_install() {
	manager=$1
	shift
	case "$manager" in
	apt-get)
		as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update || say "apt-get update failed; going on with the lists that are there"
		as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "$@"
		;;
	dnf) as_root dnf -q -y install "$@" ;;
	apk) as_root apk add -q "$@" ;;
	esac
}

# packages_need SET...: installs what is missing of the sets, in one go, with one second try; asks nobody.
packages_need() {
	manager=$(package_manager) || die "found neither apt-get nor dnf nor apk: install the packages of scripts/packages.sh by hand, then run meson and ninja as in README.md"
	missing=
	for set in "$@"; do
		for package in $(packages_for "$set" "$manager"); do
			package_is_there "$manager" "$package" || missing="$missing $package"
		done
	done
	[ -n "$missing" ] || return 0
	say "installing with $manager:$missing"
	log=$(mktemp)
	for try in first second; do
		# shellcheck disable=SC2086 # a list of names
		if packages_install "$manager" $missing </dev/null >"$log" 2>&1; then
			rm -f "$log"
			return 0
		fi
		tail -n 15 "$log" >&2
		[ $try = second ] || { say "that failed; trying once more in 5 s" && sleep 5; }
	done
	die "$manager could not install:$missing (its whole output: $log)"
}
