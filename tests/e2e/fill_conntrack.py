# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""fill_conntrack.py N: makes N entries in the connection tracking table of its network namespace, for 10 minutes.

They are ASSURED, so that the kernel evicts none of them for another. Messages: nfnetlink_conntrack.h.
"""

import socket
import struct
import sys

NETLINK_NETFILTER, SO_SNDBUFFORCE = 12, 32
NEW_ENTRY = 1 << 8                # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW
NESTED, REQUEST_CREATE = 0x8000, 0x401
ORIG, REPLY, STATUS, PROTOINFO, TIMEOUT = 1, 2, 3, 4, 7
TCP_ESTABLISHED = b"\3"
SEEN_REPLY_ASSURED_CONFIRMED = 2 | 4 | 8


def attribute(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def endpoints(kind, src, sport, dst, dport):
    addresses = attribute(1, src) + attribute(2, dst)
    ports = attribute(2, struct.pack("!H", sport)) + attribute(3, struct.pack("!H", dport))
    return attribute(kind | NESTED, attribute(1 | NESTED, addresses) + attribute(2 | NESTED, attribute(1, b"\6") + ports))


def entry(number):
    src, dst = struct.pack("!I", 0x0A4E0000 + (number >> 15)), b"\x0a\x4f\0\1"
    port = 1024 + (number & 0x7FFF)
    body = (struct.pack("=BBH", socket.AF_INET, 0, 0)
            + endpoints(ORIG, src, port, dst, 80) + endpoints(REPLY, dst, 80, src, port)
            + attribute(STATUS, struct.pack("!I", SEEN_REPLY_ASSURED_CONFIRMED)) + attribute(TIMEOUT, struct.pack("!I", 600))
            + attribute(PROTOINFO | NESTED, attribute(1 | NESTED, attribute(1, TCP_ESTABLISHED))))
    return struct.pack("=IHHII", 16 + len(body), NEW_ENTRY, REQUEST_CREATE, number, 0) + body


def main():
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as netlink:
        netlink.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 20)
        count = int(sys.argv[1])
        for first in range(0, count, 200):
            netlink.send(b"".join(entry(i) for i in range(first, min(first + 200, count))))


main()
