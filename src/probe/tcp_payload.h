/* SPDX-License-Identifier: MIT */
/* What is said to a real service: a request that it understands, padded to the byte. */
#ifndef PROBE_TCP_PAYLOAD_H
#define PROBE_TCP_PAYLOAD_H

#include "tcptriage/probe/prober.h"

/** The longest payload: a ClientHello in one record (RFC 8446 §5.1: 2^14 bytes after the header of 5). A longer one would be none that a service takes. */
#define TCP_PAYLOAD_MAX (16384 + 5)

/**
 * tcp_payload_write() - the request of @options->payload in exactly @size bytes, or in as few as it takes when that is more; TCP_PAYLOAD_MAX at most.
 * HTTP: GET / (RFC 9112) with an empty header field to be filled. TLS: a ClientHello for 1.3 and 1.2 (RFC 8446 §4.1.2) with the padding extension (RFC 7685). Raw: zero bytes.
 * A host that is no plain name (letters, digits, dots, hyphens) is not sent: the address stands in its place, and TLS goes without SNI.
 * Return: bytes written to @out; 0 for PAYLOAD_NONE.
 */
size_t tcp_payload_write(const struct prober_options *options, size_t size, uint8_t out[static TCP_PAYLOAD_MAX]);

#endif
