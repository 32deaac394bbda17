/* SPDX-License-Identifier: MIT */
/* tcp_info by table: one row a field drives decoding, JSON, text and filter predicates, for every length a kernel delivers. */
#ifndef TCPTRIAGE_MODEL_TCP_INFO_H
#define TCPTRIAGE_MODEL_TCP_INFO_H

#include <string.h>

#include "tcptriage/model/unit.h"

/** enum tcpi_id - the rows of tcp_info.def. */
enum tcpi_id {
#define TCPI(id, name, key, offset, bits, shift, unit) TCPI_##id,
#include "tcptriage/model/tcp_info.def"
#undef TCPI
	TCPI_COUNT
};

/**
 * struct tcpi_field - one row: where a field stands in the kernel's structure and what it means.
 * @name: the kernel's name without tcpi_. @key: JSON key, with the unit where the name has none.
 * @offset: byte offset. @bits: 8, 16, 32, 64, or less for a bit field that starts at bit @shift of its byte.
 * @unit: what the number is measured in. @need: shortest tcp_info, in bytes, that has it.
 */
struct tcpi_field {
	const char *name, *key;
	uint16_t offset, need;
	uint8_t bits, shift, unit;
};

/** tcpi_fields - the whole table, by field. */
extern const struct tcpi_field tcpi_fields[TCPI_COUNT];

/** The longest tcp_info this table knows; a longer one is kept up to here. */
#define TCP_INFO_MAX 280

/**
 * struct tcp_info_bytes - the tcp_info that a kernel delivered.
 * @bytes: as the kernel wrote it (host order), not owned; valid as long as the buffer it came from. @len: how much there is; 0 none.
 */
struct tcp_info_bytes {
	const uint8_t *bytes;
	uint16_t len;
};

/** tcpi_has() - the kernel delivered field @id. */
static inline bool tcpi_has(const struct tcp_info_bytes *info, enum tcpi_id id)
{
	return info->len >= tcpi_fields[id].need;
}

/** tcpi_get() - the value of field @id, 0 when absent: ask tcpi_has() where 0 would mean something. */
static inline uint64_t tcpi_get(const struct tcp_info_bytes *info, enum tcpi_id id)
{
	const struct tcpi_field *f = &tcpi_fields[id];
	const uint8_t *at;
	uint64_t v64;
	uint32_t v32;
	uint16_t v16;

	if (UNLIKELY(info->len < f->need))
		return 0;
	at = info->bytes + f->offset;
	switch (f->bits) {
	case 64:
		memcpy(&v64, at, 8);
		return v64;
	case 32:
		memcpy(&v32, at, 4);
		return v32;
	case 16:
		memcpy(&v16, at, 2);
		return v16;
	default:
		return (uint64_t)(*at >> f->shift) & ((1u << f->bits) - 1);
	}
}

/** tcpi_find() - row by kernel name or JSON key. Return: the id, or TCPI_COUNT. */
enum tcpi_id tcpi_find(const char *name);

/**
 * tcpi_find_word() - row by the word that ss prints where it is not the kernel's (cwnd, minrtt, lastsnd …; `retrans` is the total, as users
 * mean it), else as tcpi_find(). Filters, columns and sort keys share it. Return: the id, or TCPI_COUNT.
 */
enum tcpi_id tcpi_find_word(const char *word);
/** tcpi_word() - the @index-th of ss's own words, for completion and suggestions, NULL after the last. */
const char *tcpi_word(size_t index);

/* Bits of TCPI_OPTIONS (include/uapi/linux/tcp.h). */
#define TCPI_OPT_TIMESTAMPS 1
#define TCPI_OPT_SACK 2
#define TCPI_OPT_WSCALE 4
#define TCPI_OPT_ECN 8
#define TCPI_OPT_ECN_SEEN 16
#define TCPI_OPT_SYN_DATA 32
#define TCPI_OPT_USEC_TS 64

/* Values of TCPI_CA_STATE. */
#define TCP_CA_LOSS 4

#endif
