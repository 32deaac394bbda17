/* SPDX-License-Identifier: MIT */
/* connect-refused on probes: by the host, by a box in between, or by whom is not known. */
#include "rules.h"

#define RULE "connect-refused"
#define THEM "10.9.9.2"

static const struct finding *refused(struct probing *p, enum trace_finding finding, enum trace_proof proof)
{
	probing_trace(p, RULE, THEM, 81);
	p->trace.path.finding = (uint8_t)finding;
	p->trace.path.proof = (uint8_t)proof;
	p->trace.path.rst_ttl = 60;
	p->trace.path.reply_ttl = 61;
	if (finding == TRACE_REFUSED_BY_MIDDLE || proof == PROOF_NONE)
		p->trace.path.by = (struct addr){ 0 };
	if (finding == TRACE_REFUSED_BY_MIDDLE)
		p->trace.path.dies_after = 1;
	probing_judge(p);
	return probing_expect_one(p, SEVERITY_WARNING);
}

static void refusal__by_the_host__rests_on_its_proof(void **state)
{
	static const struct {
		enum trace_proof proof;
		double confidence;
		const char *detail;
	} rows[] = {
		{ PROOF_NONE, 0.95, "RST after 4 ms: nothing listens there, or a firewall says so in the host's name; who sent it is not known" },
		{ PROOF_DISTANCE, 0.97, "as far as the host is, 4 hops" },
		{ PROOF_RST_TTL, 0.97, "hop limit 60, as the host's other packets" },
		{ PROOF_ICMP, 0.97, "ICMP 'rejected' from the host itself" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *f;
		struct probing p;

		f = refused(&p, TRACE_REFUSED, rows[i].proof);
		assert_true(f->confidence == rows[i].confidence);
		expect_text(f, f->title, "10.9.9.2:81 refuses connections");
		expect_text(f, f->detail, rows[i].detail);
		probing_expect_list(f, f->next, "ss -ltnp sport = :81");
		if (rows[i].proof == PROOF_NONE)
			expect_against(f, "a box in between");
		else
			assert_null(f->against[0]);
		probing_close(&p);
	}
}

static void refusal__by_a_box__rests_on_its_proof(void **state)
{
	static const struct {
		enum trace_proof proof;
		double confidence;
		const char *detail, *against;
	} rows[] = {
		{ PROOF_NONE, 0.7, "refuses in its name", "rests on little" },
		{ PROOF_DISTANCE, 0.93, "a hop limit of 2 draws it, 10.9.9.2 is 4 hops away", "at both distances" },
		{ PROOF_RST_TTL, 0.85, "hop limit 60, other packets of 10.9.9.2 with 61", "another TTL" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct finding *f;
		struct probing p;

		f = refused(&p, TRACE_REFUSED_BY_MIDDLE, rows[i].proof);
		assert_true(f->confidence == rows[i].confidence);
		expect_text(f, f->title, "Connections to 10.9.9.2:81 are refused by a box in between, not by the host");
		expect_text(f, f->detail, rows[i].detail);
		expect_against(f, rows[i].against);
		expect_text(f, f->causes[0], "a firewall or load balancer on the way");
		probing_close(&p);
	}
}

static void box__whose_host_was_not_reached__is_told_without_a_distance(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	probing_trace(&p, RULE, THEM, 81);
	probing_ends(&p, TRACE_REFUSED_BY_MIDDLE, 2);
	p.trace.path.proof = PROOF_DISTANCE;
	assert_true(addr_parse("10.9.2.1", &p.trace.path.by));
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_WARNING);
	expect_text(f, f->title, "refused by 10.9.2.1, not by the host");
	expect_text(f, f->detail, "a hop limit of 3 draws it, and routers answer other packets from farther away");
	probing_close(&p);
}

static void handshake__of_a_search_for_the_mtu__is_told(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	probing_mtu(&p, RULE, THEM, 81);
	p.mtu.path.finding = MTU_UNREACHABLE;
	p.mtu.path.says = REPLY_REFUSED;
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_WARNING);
	assert_true(f->confidence == 0.95);
	expect_text(f, f->title, "10.9.9.2:81 refuses connections");
	probing_expect_list(f, f->next, "tcptriage trace 10.9.9.2:81");
	p.mtu.path.finding = MTU_FITS;
	probing_judge(&p);
	probing_expect_silence(&p);
	probing_close(&p);
}

static void refusal__by_icmp__names_the_router(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	probing_trace(&p, RULE, THEM, 81);
	probing_ends(&p, TRACE_REFUSED_BY_MIDDLE, 1);
	probing_by(&p, "10.9.2.1", 3, 3);
	p.trace.path.proof = PROOF_ICMP;
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_WARNING);
	expect_text(f, f->title, "refused by 10.9.2.1, not by the host");
	expect_text(f, f->detail, "ICMP 'port unreachable' from 10.9.2.1, which is not the host");
	probing_close(&p);
}

static void time__that_is_not_known__is_said(void **state)
{
	const struct finding *f;
	struct probing p;

	(void)state;
	probing_trace(&p, RULE, THEM, 81);
	probing_ends(&p, TRACE_REFUSED, 3);
	p.trace.path.split = true;
	probing_judge(&p);
	f = probing_expect_one(&p, SEVERITY_WARNING);
	assert_true(f->confidence == 0.85);
	expect_text(f, f->detail, "RST after an unknown time");
	probing_close(&p);
}

static void other_ends__are_silent(void **state)
{
	(void)state;
	for (unsigned finding = 0; finding < TRACE_FINDING_COUNT; finding++) {
		struct probing p;

		if (finding == TRACE_REFUSED || finding == TRACE_REFUSED_BY_MIDDLE)
			continue;
		probing_trace(&p, RULE, THEM, 81);
		p.trace.path.finding = (uint8_t)finding;
		probing_judge(&p);
		probing_expect_silence(&p);
		probing_close(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusal__by_the_host__rests_on_its_proof),
		cmocka_unit_test(refusal__by_a_box__rests_on_its_proof),
		cmocka_unit_test(box__whose_host_was_not_reached__is_told_without_a_distance),
		cmocka_unit_test(handshake__of_a_search_for_the_mtu__is_told),
		cmocka_unit_test(refusal__by_icmp__names_the_router),
		cmocka_unit_test(time__that_is_not_known__is_said),
		cmocka_unit_test(other_ends__are_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
