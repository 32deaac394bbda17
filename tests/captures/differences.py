# SPDX-License-Identifier: MIT
"""Where our counts of the public captures differ from tshark's, and why ours are kept."""

# file → exit status, packets read, a word of the message
BROKEN = {}

# file → counter → ours, tshark's, the reason
DIFFERENCES = {}
