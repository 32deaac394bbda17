/* SPDX-License-Identifier: MIT */
/* capture/live: real packets on the loopback and a veth of a network namespace of our own, down to the last one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "tcptriage/base/arena.h"
#include "tcptriage/base/clock.h"
#include "tcptriage/capture/reader.h"
#include "tcptriage/capture/sandbox.h"

#define PORT 9999
#define FILTER "udp dst port 9999"
#define BURST 217
#define PAYLOAD 100
#define LINK_EN10MB 1
#define LINK_SLL2 276

static struct err err;

static void up(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
}

/* lo, and veth lvt0 (10.99.7.1) whose far end lvt1 answers to nobody. */
static int setup_network(void **state)
{
	(void)state;
	up("lo");
	return system("ip link add lvt0 type veth peer name lvt1 && ip link set lvt0 up && ip link set lvt1 up && "
			      "ip addr add 10.99.7.1/24 dev lvt0 && ip neigh add 10.99.7.2 lladdr 02:00:00:00:00:02 dev lvt0");
}

static struct reader *open_on(const char *interface, const struct reader_live *more)
{
	struct reader_live wish = more ? *more : (struct reader_live){ .filter = FILTER };
	struct reader *reader;
	int code;

	wish.interface = interface;
	wish.link_type = wish.link_type ? wish.link_type : UINT32_MAX;
	code = reader_open_live(&reader, &wish, &err);
	if (code)
		print_message("%s\n", err.text);
	assert_int_equal(code, 0);
	return reader;
}

static void send_burst(const char *address, unsigned count)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char bytes[PAYLOAD] = { 0 };

	assert_int_equal(inet_pton(AF_INET, address, &to.sin_addr), 1);
	for (unsigned i = 0; i < count; i++)
		sendto(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&to, sizeof(to)); /* refused by ICMP at times: it was sent */
	close(fd);
}

/* All frames up to the end. Return: their number; @by_direction counts them. */
static unsigned read_to_end(struct reader *reader, unsigned by_direction[3])
{
	struct frame frame;
	unsigned count = 0;
	int code;

	while ((code = reader_next(reader, &frame, &err)) == 1 || code == -EAGAIN) {
		if (code != 1)
			continue;
		assert_int_equal(frame.number, ++count);
		assert_true(frame.captured <= frame.wire);
		by_direction[frame.direction]++;
	}
	assert_int_equal(code, 0);
	return count;
}

static void check_burst(const char *interface, const char *address, const struct reader_live *wish, unsigned wanted, unsigned direction)
{
	struct reader *reader = open_on(interface, wish);
	unsigned by_direction[3] = { 0 };
	struct capture_source source;
	int64_t begin;

	send_burst(address, BURST);
	begin = clock_mono_us();
	reader_drain(reader);
	assert_int_equal(read_to_end(reader, by_direction), wanted);
	assert_true(clock_mono_us() - begin < 1500000);
	assert_int_equal(by_direction[direction], wanted);
	reader_source(reader, &source);
	assert_true(source.live);
	assert_true(source.has_drops);
	assert_int_equal(source.received, wanted);
	assert_int_equal(source.dropped_kernel, 0);
	assert_int_equal(source.dropped_interface, 0);
	reader_close(reader);
}

static void burst__drained_at_once__every_packet_comes(void **state)
{
	const struct reader_live immediate = { .filter = FILTER, .immediate = true };

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		check_burst("lvt0", "10.99.7.2", NULL, BURST, DIRECTION_OUT);
	check_burst("lvt1", "10.99.7.2", NULL, BURST, DIRECTION_IN);
	check_burst("lvt0", "10.99.7.2", &immediate, BURST, DIRECTION_OUT);
}

/* What is sent on lo passes the capture twice; it is counted once, by the kernel too. */
static void burst__on_loopback__every_packet_comes_once(void **state)
{
	(void)state;
	check_burst("lo", "127.0.0.1", NULL, BURST, DIRECTION_UNKNOWN);
	check_burst("any", "127.0.0.1", NULL, BURST, DIRECTION_IN);
}

static void burst__one_direction_asked__the_other_is_not_counted(void **state)
{
	const struct reader_live in = { .filter = FILTER, .direction = DIRECTION_IN }, out = { .filter = FILTER, .direction = DIRECTION_OUT };

	(void)state;
	check_burst("lvt0", "10.99.7.2", &out, BURST, DIRECTION_OUT);
	check_burst("lvt0", "10.99.7.2", &in, 0, DIRECTION_IN);
	check_burst("lvt1", "10.99.7.2", &in, BURST, DIRECTION_IN);
	check_burst("lvt1", "10.99.7.2", &out, 0, DIRECTION_OUT);
	check_burst("any", "10.99.7.2", &out, BURST, DIRECTION_OUT);
	check_burst("any", "10.99.7.2", &in, BURST, DIRECTION_IN);
}

static void burst__before_the_drain__is_told_from_what_comes_after(void **state)
{
	unsigned by_direction[3] = { 0 };
	struct capture_source source;
	struct reader *reader;

	(void)state;
	reader = open_on("lvt0", NULL);
	send_burst("10.99.7.2", BURST);
	reader_drain(reader);
	send_burst("10.99.7.2", BURST);
	assert_int_equal(read_to_end(reader, by_direction), BURST);
	reader_source(reader, &source);
	assert_int_equal(source.received, BURST);
	reader_close(reader);
}

static void set_sysctl(const char *name, const char *value)
{
	char path[80];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, value, strlen(value)), strlen(value));
	close(fd);
}

/* On a busy machine nothing runs for as long as it takes. What the kernel had accepted by the drain comes all the same, and what came after it does not. */
static void burst__reader_does_not_run_after_the_drain__every_packet_comes(void **state)
{
	unsigned by_direction[3] = { 0 };
	struct reader *reader;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		unsigned pause_ms = i / 2 ? 1500 : 300;

		/* without memory for a filter in the kernel libpcap sorts by itself, and what the kernel counts is not what comes */
		if (i % 2)
			set_sysctl("net/core/optmem_max", "16");
		reader = open_on("lvt0", NULL);
		set_sysctl("net/core/optmem_max", "131072");
		send_burst("10.99.7.2", BURST);
		reader_drain(reader);
		send_burst("10.99.7.2", BURST);
		usleep(pause_ms * 1000);
		assert_int_equal(read_to_end(reader, by_direction), BURST);
		reader_close(reader);
	}
}

static void ring__too_small_for_a_flood__the_drops_are_counted(void **state)
{
	const struct reader_live small = { .filter = FILTER, .buffer_kib = 1 };
	unsigned by_direction[3] = { 0 }, delivered;
	struct capture_source source;
	struct reader *reader;

	(void)state;
	reader = open_on("lvt0", &small);
	send_burst("10.99.7.2", 20000);
	reader_drain(reader);
	delivered = read_to_end(reader, by_direction);
	reader_source(reader, &source);
	assert_int_equal(source.received, 20000);
	assert_true(source.dropped_kernel > 0);
	assert_int_equal(source.received - source.dropped_kernel, delivered);
	reader_close(reader);
}

static void frame__default_snaplen__keeps_headers_and_says_what_was_on_the_wire(void **state)
{
	const struct reader_live longer = { .filter = FILTER, .snaplen = 1000 };
	struct timespec now;
	struct reader *reader;
	struct frame frame;

	(void)state;
	clock_gettime(CLOCK_REALTIME, &now);
	reader = open_on("lvt0", NULL);
	send_burst("10.99.7.2", 1);
	reader_drain(reader);
	while (reader_next(reader, &frame, &err) != 1)
		;
	assert_int_equal(frame.captured, 128);
	assert_int_equal(frame.wire, 14 + 20 + 8 + PAYLOAD);
	assert_int_equal(frame.link_type, LINK_EN10MB);
	assert_int_equal(frame.bytes[12] << 8 | frame.bytes[13], 0x0800);
	assert_true(frame.time_ns / 1000000000 - now.tv_sec >= 0 && frame.time_ns / 1000000000 - now.tv_sec < 10);
	reader_close(reader);
	reader = open_on("lvt0", &longer);
	send_burst("10.99.7.2", 1);
	reader_drain(reader);
	while (reader_next(reader, &frame, &err) != 1)
		;
	assert_int_equal(frame.captured, frame.wire);
	reader_close(reader);
}

static void interface__by_name_any_and_number__is_what_was_asked_for(void **state)
{
	const struct listed_interface *list;
	struct arena arena = { NULL };
	struct capture_source source;
	struct reader *reader;
	char number[16];
	int count;

	(void)state;
	reader = open_on("any", NULL);
	assert_int_equal(reader_interface(reader, 0)->link_type, LINK_SLL2);
	assert_int_equal(reader_interface(reader, 0)->ifindex, 0);
	assert_null(reader_interface(reader, 1));
	assert_true(reader_fd(reader) >= 0);
	reader_close(reader);
	count = reader_list(&arena, &list, &err);
	assert_true(count >= 3);
	for (int i = 0; i < count; i++) {
		if (strcmp(list[i].name, "lvt0"))
			continue;
		snprintf(number, sizeof(number), "%d", i + 1);
		reader = open_on(number, NULL);
		reader_source(reader, &source);
		assert_string_equal(source.name, "lvt0");
		assert_string_equal(source.filter, FILTER);
		assert_int_equal(source.mtu, 1500);
		assert_int_equal(source.snaplen, 128);
		assert_int_equal(reader_interface(reader, 0)->ifindex, if_nametoindex("lvt0"));
		reader_close(reader);
	}
	arena_free(&arena);
}

static void link_types__of_an_interface__are_listed(void **state)
{
	uint32_t types[8] = { 0 };

	(void)state;
	assert_true(reader_link_types("lvt0", types, 8, &err) >= 1);
	assert_int_equal(types[0], LINK_EN10MB);
	assert_int_equal(reader_link_types("lvt9", types, 8, &err), -ENODEV);
	assert_non_null(strstr(err.text, "did you mean 'lvt"));
}

static void expect_refusal(const struct reader_live *wish, int code, const char *words)
{
	struct reader *reader;

	assert_int_equal(reader_open_live(&reader, wish, &err), code);
	assert_null(reader);
	if (!strstr(err.text, words))
		print_message("%s\n", err.text);
	assert_non_null(strstr(err.text, words));
}

static void open__what_cannot_be__is_refused_with_the_next_step(void **state)
{
	(void)state;
	expect_refusal(&(struct reader_live){ .interface = "lvt9", .link_type = UINT32_MAX }, -ENODEV, "did you mean 'lvt");
	expect_refusal(&(struct reader_live){ .interface = "9999", .link_type = UINT32_MAX }, -ENODEV, "'9999'");
	expect_refusal(&(struct reader_live){ .interface = "lvt0", .link_type = UINT32_MAX, .filter = "tcp prt 80" }, -EINVAL, "\"tcp prt 80\"");
	expect_refusal(&(struct reader_live){ .interface = "lvt0", .link_type = 147 }, -EINVAL, "-L");
}

static void open__without_privilege__names_the_capability_and_the_binary(void **state)
{
	struct reader_live wish = { .interface = "lo", .link_type = UINT32_MAX };
	char self[256] = "";
	struct reader *reader;
	int status;
	pid_t pid;

	(void)state;
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	pid = fork();
	if (!pid) {
		if (setgid(65534) || setuid(65534))
			_exit(1);
		if (reader_open_live(&reader, &wish, &err) != -EPERM)
			_exit(2);
		_exit(strstr(err.text, "setcap cap_net_raw=ep ") && strstr(err.text, "CAP_NET_RAW") ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* The whole of it as the program does it: open, give everything up, read, drain, count. */
static void sandboxed__capture__loses_nothing_and_still_counts_drops(void **state)
{
	struct reader *reader;
	int ready[2], go[2], status;
	char byte = 0;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	reader = open_on("lvt0", NULL);
	pid = fork();
	if (!pid) {
		unsigned by_direction[3] = { 0 };
		struct capture_source source;
		struct sandbox_state sandbox;

		if (sandbox_enter(NULL, &sandbox, &err) || write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) != 1)
			_exit(1);
		reader_drain(reader);
		if (read_to_end(reader, by_direction) != BURST)
			_exit(2);
		reader_source(reader, &source);
		if (source.received != BURST || !source.has_drops || source.dropped_interface)
			_exit(3);
		reader_close(reader);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	send_burst("10.99.7.2", BURST);
	assert_int_equal(write(go[1], &byte, 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	reader_close(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(burst__drained_at_once__every_packet_comes),
		cmocka_unit_test(burst__on_loopback__every_packet_comes_once),
		cmocka_unit_test(burst__one_direction_asked__the_other_is_not_counted),
		cmocka_unit_test(burst__before_the_drain__is_told_from_what_comes_after),
		cmocka_unit_test(burst__reader_does_not_run_after_the_drain__every_packet_comes),
		cmocka_unit_test(ring__too_small_for_a_flood__the_drops_are_counted),
		cmocka_unit_test(frame__default_snaplen__keeps_headers_and_says_what_was_on_the_wire),
		cmocka_unit_test(interface__by_name_any_and_number__is_what_was_asked_for),
		cmocka_unit_test(link_types__of_an_interface__are_listed),
		cmocka_unit_test(open__what_cannot_be__is_refused_with_the_next_step),
		cmocka_unit_test(open__without_privilege__names_the_capability_and_the_binary),
		cmocka_unit_test(sandboxed__capture__loses_nothing_and_still_counts_drops),
	};

	if (geteuid()) {
		puts("not root: no network namespace of our own can be made");
		return 77;
	}
	if (unshare(CLONE_NEWNET)) {
		perror("no namespaces here");
		return 77;
	}
	return cmocka_run_group_tests(tests, setup_network, NULL);
}
