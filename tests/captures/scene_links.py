# SPDX-License-Identifier: MIT
"""The same short conversation in every wrapping: link types, tags, tunnels, file formats."""
import gzip
import struct

import files
import wire
from scenes import flow, scene

CLEAN = [flow("closed")]


def short(net):
    net.tcp().open().exchange().close()


def wrapped(name, title, wrap, link=wire.ETHERNET, **expected):
    def make(net):
        net.link = link[net.family] if isinstance(link, dict) else link
        net.wrap = lambda packet, frame: wrap(packet)
        short(net)
        if not expected.get("flows", CLEAN):
            net.flows.clear()
    make.__name__ = name
    scene(title, **{"flows": CLEAN, **expected})(make)


def carried(name, title, carry, **expected):
    def make(net):
        net.carry = carry
        short(net)
    make.__name__ = name
    scene(title, **{"flows": CLEAN, **expected})(make)


wrapped("vlan", "one VLAN tag", lambda packet: wire.vlan(packet, (0x8100, 100)))
wrapped("qinq", "two tags, 802.1ad", lambda packet: wire.vlan(packet, (0x88A8, 200), (0x8100, 100)))
wrapped("mpls", "a stack of two labels", lambda packet: wire.mpls(packet, 1000, 16))
wrapped("pppoe", "PPPoE", wire.pppoe)
wrapped("link_null", "BSD loopback, the family in little-endian order", wire.bsd_loopback, wire.NULL)
wrapped("link_null_be", "BSD loopback, the family in big-endian order", lambda packet: wire.bsd_loopback(packet, ">"), wire.NULL)
wrapped("link_loop", "OpenBSD loopback", lambda packet: wire.bsd_loopback(packet, ">"), wire.LOOP)
wrapped("link_ppp", "PPP with address and control", wire.ppp, wire.PPP)
wrapped("link_ppp_bare", "PPP without address and control", lambda packet: wire.ppp(packet)[2:], wire.PPP)
wrapped("link_ppp_hdlc", "PPP in HDLC-like framing", wire.ppp, wire.PPP_HDLC)
wrapped("link_raw", "raw IP, 101", lambda packet: packet, wire.RAW)
wrapped("link_raw_old", "raw IP, the number that some systems write", lambda packet: packet, wire.RAW_OLD)
wrapped("link_sll", "Linux cooked", wire.sll, wire.SLL)
wrapped("link_sll2", "Linux cooked v2", wire.sll2, wire.SLL2)
wrapped("link_ip", "raw IP of one version", lambda packet: packet, {4: wire.IPV4, 6: wire.IPV6})
wrapped("link_c_hdlc", "Cisco HDLC", wire.c_hdlc, wire.C_HDLC)
wrapped("link_nflog", "NFLOG", wire.nflog, wire.NFLOG)
UNREAD = {"flows": [], "unsupported": 9}
wrapped("link_fddi", "FDDI with LLC and SNAP", wire.fddi, wire.FDDI)
wrapped("link_radiotap", "802.11 with radiotap is not read and says so", wire.radiotap, wire.RADIOTAP, **UNREAD)

carried("ipip", "IP in IPv4", wire.ip_in_ip)
carried("in_ipv6", "IP in IPv6", lambda packet: wire.ip_in_ip(packet, 6))
carried("gre", "GRE", wire.gre)
carried("gre_key", "GRE with a key", lambda packet: wire.gre(packet, 77))
carried("vxlan", "VXLAN", wire.vxlan)
carried("geneve", "Geneve with an option", lambda packet: wire.geneve(packet, options=struct.pack(">HBBI", 0x0102, 0x80, 1, 5)))
carried("nested", "GRE in VXLAN: two tunnels around one connection", lambda packet: wire.vxlan(wire.gre(packet)))


@scene("the same addresses and ports in two VLANs are two connections", flows=[flow("closed")] * 2)
def vlan_apart(net):
    tags = []
    net.wrap = lambda packet, frame: wire.vlan(packet, (0x8100, tags[net.frames.index(frame)]))
    for tag in (10, 20):
        net.tcp(port=41000, isn=(tag * 1_000_000, tag * 2_000_000)).open().exchange().close()
        tags += [tag] * (len(net.frames) - len(tags))


@scene("the same addresses and ports in two VXLANs are two connections", flows=[flow("closed")] * 2)
def vni_apart(net):
    for vni in (10, 20):
        net.carry = lambda packet, vni=vni: wire.vxlan(packet, vni)
        net.tcp(port=41000, isn=(vni * 1_000_000, vni * 2_000_000)).open().exchange().close()


@scene("IPv6 with hop-by-hop, destination options and a routing header before TCP", flows=[flow("closed")], families=(6,))
def extension_headers(net):
    """The extensions go between the header and TCP, so the wrapping knows them and not the talk."""
    chain = [(0, bytes([0]) + bytes([1, 4, 0, 0, 0, 0])), (43, bytes([0, 4, 0]) + bytes(4)), (60, bytes([0]) + bytes([1, 4, 0, 0, 0, 0]))]

    def carry(packet):
        net.tcp_flow.bytes[packet[8:24] == wire.packed(net.server.address)] += 24
        return wire.ipv6(net.client.address, net.server.address, packet[6], packet[40:], packet[7], extensions=chain)[:8] + packet[8:40] + wire.ipv6(
            net.client.address, net.server.address, packet[6], packet[40:], packet[7], extensions=chain)[40:]
    tcp = net.tcp()
    net.tcp_flow, net.carry = tcp.flow, carry
    tcp.open().exchange().close()


@scene("IPv4 options before TCP: a record of the route", flows=[flow("closed")], families=(4,))
def ipv4_options(net):
    def carry(packet):
        net.tcp_flow.bytes[packet[12:16] == wire.packed(net.server.address)] += 8
        options = bytes([7, 7, 4]) + bytes(4) + b"\0"
        head = bytes([0x47]) + packet[1:2] + struct.pack(">H", len(packet) + 8) + packet[4:10] + b"\0\0" + packet[12:20] + options
        return head[:10] + struct.pack(">H", wire.checksum(head)) + head[12:] + packet[20:]
    tcp = net.tcp()
    net.tcp_flow, net.carry = tcp.flow, carry
    tcp.open().exchange().close()


def written(name, title, write, extension="pcap", **expected):
    def make(net):
        short(net)
        net.file, net.extension = write, extension
    make.__name__ = name
    scene(title, families=(4,), **{"flows": CLEAN, **expected})(make)


def pcap_of(order="<", magic=files.PCAP_US):
    return lambda net: files.pcap(net.frame_bytes(), wire.ETHERNET, order, magic)


written("pcap_be", "pcap, big-endian", pcap_of(">"))
written("pcap_ns", "pcap with nanoseconds", pcap_of(magic=files.PCAP_NS))
written("pcap_ns_be", "pcap with nanoseconds, big-endian", pcap_of(">", files.PCAP_NS))
written("pcap_gz", "pcap in gzip", lambda net: gzip.compress(pcap_of()(net), mtime=0), "pcap.gz")


def pcap_modified(net):
    """Kuznetzov's format: eight more bytes in each record header."""
    data = files.pcap_header(wire.ETHERNET, magic=files.PCAP_MODIFIED)
    for time, frame, length in net.frame_bytes():
        record = files.pcap_record(files.START_NS + time, frame, length)
        data += record[:16] + struct.pack("<IHBB", 2, 0x0800, 0, 0) + record[16:]
    return data


written("pcap_modified", "pcap with the longer record header of old patched systems", pcap_modified)


def pcapng_of(order="<", resolution=6, section=(), interface=(), packet=()):
    def write(net):
        made = files.Pcapng(order, resolution).section(*section).interface(wire.ETHERNET, 262144, None, *interface)
        for time, data, length in net.frame_bytes():
            made.packet(time, data, length, 0, *packet)
        return made.data
    return write


written("pcapng_le", "pcapng", pcapng_of(), "pcapng")
written("pcapng_be", "pcapng, big-endian", pcapng_of(">"), "pcapng")
written("pcapng_ns", "pcapng with nanoseconds", pcapng_of(resolution=9), "pcapng")
written("pcapng_options", "pcapng with names, comments, a filter and flags", pcapng_of(
    section=((2, b"a machine"), (3, b"Linux"), (4, b"by hand")), interface=((2, b"eth0"), (3, b"the wire"), (11, b"\0tcp port 80")),
    packet=((1, b"a comment"), (2, struct.pack("<I", 1)))), "pcapng")


def pcapng_gz(net):
    return gzip.compress(pcapng_of()(net), mtime=0)


written("pcapng_gz", "pcapng in gzip", pcapng_gz, "pcapng.gz")


def two_interfaces(net):
    """Every second packet comes by the other interface, whose frames are raw IP."""
    made = files.Pcapng().section().interface(wire.ETHERNET, 65535, b"eth0").interface(wire.RAW, 65535, b"tun0")
    for number, (time, data, length) in enumerate(net.frame_bytes()):
        made.packet(time, data if number % 2 == 0 else data[14:], length if number % 2 == 0 else length - 14, number % 2)
    return made.data


written("pcapng_two_links", "pcapng with two interfaces of different link types", two_interfaces, "pcapng")


def two_sections(net):
    """A file put together from two, the second in the other byte order; unknown blocks in between."""
    frames = list(net.frame_bytes())
    first = files.Pcapng("<").section().interface(wire.ETHERNET).block(0x0BAD, b"nothing that anybody knows")
    second = files.Pcapng(">", 9).section().interface(wire.ETHERNET)
    for number, (time, data, length) in enumerate(frames):
        (first if number < len(frames) // 2 else second).packet(time, data, length)
    return first.data + second.statistics(net.now, len(frames), 0, 0).data


written("pcapng_two_sections", "two sections of different byte order and resolution", two_sections, "pcapng",
        received=9)
