/* SPDX-License-Identifier: MIT */
/* Numbers of the pcapng format (draft-ietf-opsawg-pcapng), for reader and writer. */
#ifndef CAPTURE_PCAPNG_FORMAT_H
#define CAPTURE_PCAPNG_FORMAT_H

/* Block types, §4 and §11.1. The section header's reads the same in both byte orders. */
enum pcapng_block {
	PCAPNG_SECTION = 0x0a0d0d0a,
	PCAPNG_INTERFACE = 1,
	PCAPNG_OLD_PACKET = 2, /* obsolete, appendix A */
	PCAPNG_SIMPLE_PACKET = 3,
	PCAPNG_STATISTICS = 5,
	PCAPNG_PACKET = 6,
};

/* What a section header says in the byte order of its section. */
#define PCAPNG_BYTE_ORDER 0x1a2b3c4dU

/* Every block: type and length in front, the length again behind. */
#define PCAPNG_BLOCK_HEAD 8
#define PCAPNG_BLOCK_TAIL 4
#define PCAPNG_BLOCK_MIN (PCAPNG_BLOCK_HEAD + PCAPNG_BLOCK_TAIL)

/* Option codes; those from 2 on depend on the block. */
enum pcapng_option {
	PCAPNG_END = 0,
	PCAPNG_COMMENT = 1,
	PCAPNG_SHB_APPLICATION = 4,
	PCAPNG_IF_NAME = 2,
	PCAPNG_IF_TSRESOL = 9,
	PCAPNG_IF_FILTER = 11,
	PCAPNG_IF_TSOFFSET = 14,
	PCAPNG_EPB_FLAGS = 2,
	PCAPNG_EPB_DROPS = 4,
	PCAPNG_ISB_RECEIVED = 4,
	PCAPNG_ISB_DROPPED_INTERFACE = 5,
	PCAPNG_ISB_DROPPED_KERNEL = 7,
};

/* Bits of PCAPNG_EPB_FLAGS, §4.3.1. */
#define PCAPNG_DIRECTION_MASK 3u
#define PCAPNG_DIRECTION_IN 1u
#define PCAPNG_DIRECTION_OUT 2u

#endif
