/* SPDX-License-Identifier: MIT */
/* model/finding.c: commands to paste. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tcptriage/model/finding.h"

static void command__in_a_namespace__is_aimed_at_it(void **state)
{
	static const struct {
		const char *at, *template, *command;
	} rows[] = {
		{ NULL, "tcptriage states pid = {pid}", "tcptriage states pid = 7" },
		{ "web", "tcptriage states pid = {pid}", "tcptriage states -N web pid = 7" },
		{ "web", "tcptriage capture -i eth0 tcp", "tcptriage capture -N web -i eth0 tcp" },
		{ "web", "tcptriage explain x", "tcptriage explain x" },
		{ "web", "tcptriage mtu-probe {target}", "tcptriage mtu-probe -N web 10.0.0.9" },
		{ "812", "tcptriage trace {peer_addr}:80", "tcptriage trace -N 812 10.0.0.9:80" },
		{ "web", "nft list ruleset", "ip netns exec web nft list ruleset" },
		{ "web", "ip route get {peer_addr}", "ip netns exec web ip route get 10.0.0.9" },
		{ "web", "ping -c 3 {peer_addr}", "ip netns exec web ping -c 3 10.0.0.9" },
		{ "812", "nstat -az TcpExtListenDrops", "nsenter -n -t 812 nstat -az TcpExtListenDrops" },
		{ "web", "tc -s qdisc show", "ip netns exec web tc -s qdisc show" },
		{ "web", "tcpdump -ni any", "ip netns exec web tcpdump -ni any" },
		{ "/run/docker/netns/ab", "ss -ltn", "nsenter --net=/run/docker/netns/ab ss -ltn" },
		{ "web", "ls -l /proc/{pid}/fd", "ls -l /proc/7/fd" },
		{ "web", "cat /proc/{pid}/stack", "cat /proc/7/stack" },
		{ "web", "cat /proc/sys/net/core/somaxconn", "ip netns exec web cat /proc/sys/net/core/somaxconn" },
		{ "web", "cat /proc/net/sockstat", "ip netns exec web cat /proc/net/sockstat" },
		{ "a; reboot", "ss -ltn", "ss -ltn" },
		{ "web", "ss -ltnp sport = :80 # on the server", "ss -ltnp sport = :80 # on the server" },
		{ "web", "tcptriage report # on the other side: accept-stuck", "tcptriage report # on the other side: accept-stuck" },
		{ "web", "tcptriage capture -i any # at the server", "tcptriage capture -i any # at the server" },
		{ "web", "nstat -az # on both ends", "ip netns exec web nstat -az # on both ends" },
	};
	struct finding finding = { .scope = { .pid = 7, .has_peer = true } };
	struct out out;

	(void)state;
	assert_true(addr_parse("10.0.0.9", &finding.scope.peer.addr));
	out_open_mem(&out);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		out_clear(&out);
		finding.scope.netns_at = rows[i].at;
		assert_true(finding_command(&out, &finding, rows[i].template));
		assert_string_equal(out_text(&out), rows[i].command);
	}
	out_close(&out);
}

static void number__with_its_noun__agrees(void **state)
{
	struct finding finding = { .count = 1, .evidence = { { .name = "sent", .value = 2, .unit = UNIT_COUNT } }, .evidence_count = 1 };
	struct out out;

	(void)state;
	out_open_mem(&out);
	finding_expand(&out, &finding, "{count|socket}, {sent|reset} · {count}");
	assert_string_equal(out_text(&out), "1 socket, 2 resets · 1");
	out_clear(&out);
	finding.count = 0;
	finding.evidence[0].value = 1;
	finding_expand(&out, &finding, "{count|socket}, {sent|reset}");
	assert_string_equal(out_text(&out), "0 sockets, 1 reset");
	out_close(&out);
}

static void command__asks_for_what_is_unknown__is_left_out(void **state)
{
	static const char *const templates[] = { "ls /proc/{pid}/fd", "x {peer}", "x {peer_port}",
						 "x {local_port}", "x {interface}" };
	struct finding finding = { .count = 1 };
	struct out out;

	(void)state;
	out_open_mem(&out);
	for (size_t i = 0; i < ARRAY_SIZE(templates); i++)
		assert_false(finding_command(&out, &finding, templates[i]));
	assert_int_equal(out_len(&out), 0);
	assert_true(finding_command(&out, &finding, "x {count}"));
	out_close(&out);
}

static void address_of_one_link__is_given_with_its_interface(void **state)
{
	static const struct {
		const char *zone, *template, *command;
	} rows[] = {
		{ "eth0", "tcptriage trace {service}", "tcptriage trace [fe80::1%eth0]:80" },
		{ "eth0", "ip route get {peer_addr}", "ip route get fe80::1 oif eth0" },
		{ "eth0", "tcptriage capture 'host {peer_addr}'", "tcptriage capture 'host fe80::1'" },
		{ "a;b", "tcptriage trace {service}", NULL },
		{ "a;b", "ip route get {peer_addr}", NULL },
	};
	struct finding finding = { .scope = { .has_peer = true, .peer.port = 80 } };
	struct out out;

	(void)state;
	assert_true(addr_parse("fe80::1", &finding.scope.peer.addr));
	out_open_mem(&out);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		out_clear(&out);
		finding.scope.peer_zone = rows[i].zone;
		assert_int_equal(finding_command(&out, &finding, rows[i].template), rows[i].command != NULL);
		assert_string_equal(out_text(&out), rows[i].command ? rows[i].command : "");
	}
	out_clear(&out);
	finding.scope.peer_zone = "e\033[0m";
	finding_expand(&out, &finding, "{peer}");
	assert_null(strchr(out_text(&out), '\033'));
	out_close(&out);
}

static void address_of_ipv6__stands_in_brackets_for_ss_alone(void **state)
{
	static const struct {
		const char *peer, *template, *command;
	} rows[] = {
		{ "fd00::1", "ss -tnoi dst {peer_addr}", "ss -tnoi dst [fd00::1]" },
		{ "fd00::1", "ss -tnoi dst {example}", "ss -tnoi dst [fd00::2]" },
		{ "fd00::1", "ss -tnoi dst {peer}", "ss -tnoi dst [fd00::1]:80" },
		{ "fd00::1", "ip route get {peer_addr}", "ip route get fd00::1" },
		{ "fd00::1", "tcptriage states dst {example}", "tcptriage states dst fd00::2" },
		{ "10.0.0.1", "ss -tnoi dst {peer_addr}", "ss -tnoi dst 10.0.0.1" },
		{ "10.0.0.1", "ss -tnoi dst {peer}", "ss -tnoi dst 10.0.0.1:80" },
	};
	struct finding finding = { .scope = { .has_peer = true, .peer.port = 80 } };
	struct out out;

	(void)state;
	finding.evidence[finding.evidence_count++] = (struct evidence){ .name = "example", .text = "fd00::2" };
	out_open_mem(&out);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		out_clear(&out);
		assert_true(addr_parse(rows[i].peer, &finding.scope.peer.addr));
		assert_true(finding_command(&out, &finding, rows[i].template));
		assert_string_equal(out_text(&out), rows[i].command);
	}
	out_close(&out);
}

static void target__of_a_finding__is_one_address(void **state)
{
	static const struct {
		const char *peer;
		uint16_t port;
		uint8_t bits;
		const char *example, *probe, *trace;
	} rows[] = {
		{ "10.0.0.9", 80, 0, NULL, "tcptriage mtu-probe 10.0.0.9:80", "tcptriage trace 10.0.0.9:80" },
		{ "10.0.0.9", 0, 0, "10.0.0.7", "tcptriage mtu-probe 10.0.0.9", NULL },
		{ "fd00::9", 443, 0, NULL, "tcptriage mtu-probe [fd00::9]:443", "tcptriage trace [fd00::9]:443" },
		{ "fd00::9", 0, 0, NULL, "tcptriage mtu-probe fd00::9", NULL },
		{ "10.0.0.0", 80, 24, "10.0.0.7", "tcptriage mtu-probe 10.0.0.7:80", "tcptriage trace 10.0.0.7:80" },
		{ "10.0.0.0", 80, 24, NULL, NULL, NULL },
		{ NULL, 0, 0, "fd00::7", "tcptriage mtu-probe fd00::7", NULL },
		{ NULL, 0, 0, "a name", NULL, NULL },
		{ NULL, 0, 0, NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct finding finding = { .scope = { .has_peer = rows[i].peer, .peer_bits = rows[i].bits, .peer.port = rows[i].port } };
		const char *const templates[] = { "tcptriage mtu-probe {target}", "tcptriage trace {service}" };
		const char *const commands[] = { rows[i].probe, rows[i].trace };
		struct out out;

		if (rows[i].peer)
			assert_true(addr_parse(rows[i].peer, &finding.scope.peer.addr));
		if (rows[i].example)
			finding.evidence[finding.evidence_count++] = (struct evidence){ .name = "example", .text = rows[i].example };
		for (size_t k = 0; k < ARRAY_SIZE(templates); k++) {
			out_open_mem(&out);
			assert_int_equal(finding_command(&out, &finding, templates[k]), commands[k] != NULL);
			assert_string_equal(out_text(&out), commands[k] ? commands[k] : "");
			out_close(&out);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command__in_a_namespace__is_aimed_at_it),
		cmocka_unit_test(command__asks_for_what_is_unknown__is_left_out),
		cmocka_unit_test(target__of_a_finding__is_one_address),
		cmocka_unit_test(number__with_its_noun__agrees),
		cmocka_unit_test(address_of_one_link__is_given_with_its_interface),
		cmocka_unit_test(address_of_ipv6__stands_in_brackets_for_ss_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
