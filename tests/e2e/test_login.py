"""Login and text negotiation on the wire (RFC 7143 s6, s13)."""

import itertools
import re
import socket
import struct
from pathlib import Path

from lunar_e2e import pdu as wire
from lunar_e2e.case import E2eCase
from lunar_e2e.daemon import SLOWNESS, Daemon, free_port
from lunar_e2e.disk import Disk
from lunar_e2e.initiator import OPERATIONAL_KEYS, TARGET, LoginFailed, Session

TARGET_NOT_FOUND, UNSUPPORTED_VERSION, TOO_MANY_CONNECTIONS = 0x0203, 0x0205, 0x0206
MISSING_PARAMETER, NO_SUCH_SESSION = 0x0207, 0x020A


class Login(E2eCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.serve("--disk", "ram:16MiB")

    def refused(self, **options) -> int:
        with self.assertRaises(LoginFailed) as failed:
            self.login(self.daemon, **options)
        return failed.exception.status

    def raw(self, keys, version=0) -> wire.Pdu:
        """The answer to one login request of the operational stage."""
        session = self.login(self.daemon, login=False)
        request = session.login_request(1, 3, keys)
        request.byte2 = request.byte3 = version
        session.send(request)
        return session.receive()

    def test_with_and_without_the_security_stage(self):
        for security_stage in (False, True):
            session = self.login(self.daemon, security_stage=security_stage)
            self.assertNotEqual(session.tsih, 0)
            self.assertEqual(session.logout(), 0)

    def test_unknown_target(self):
        self.assertEqual(self.refused(target="iqn.2026-11.io.lunar:nobody"), TARGET_NOT_FOUND)

    def test_unknown_session(self):
        self.assertEqual(self.refused(tsih=0x7777), NO_SUCH_SESSION)

    def test_a_further_connection_of_a_session(self):
        session = self.login(self.daemon)
        further = self.login(self.daemon, login=False, isid=session.isid, tsih=session.tsih)
        request = further.login_request(1, 3, {"InitiatorName": further.initiator, "TargetName": TARGET,
                                               **OPERATIONAL_KEYS})
        request.cid = 1
        further.send(request)
        self.assertEqual(further.receive().login_status, TOO_MANY_CONNECTIONS)
        self.assertEqual(session.nop(b"still").data, b"still")

    def test_names_repeated_in_the_operational_stage(self):
        """Like libiscsi, and so QEMU, with credentials."""
        names = {"InitiatorName": "iqn.2026-11.io.lunar:again", "SessionType": "Normal", "TargetName": TARGET}
        for second, status in (({}, 0), ({"InitiatorName": "iqn.2026-11.io.lunar:other"}, 0x0200)):
            session = self.login(self.daemon, login=False)
            session._login_step(session.login_request(0, 1, {**names, "AuthMethod": "None"}))
            session.send(session.login_request(1, 3, {**names, **second, **OPERATIONAL_KEYS}))
            self.assertEqual(session.receive().login_status, status)

    def test_without_initiator_name(self):
        response = self.raw({"TargetName": TARGET, **OPERATIONAL_KEYS})
        self.assertEqual(response.login_status, MISSING_PARAMETER)

    def test_without_target_name(self):
        response = self.raw({"InitiatorName": "iqn.2026-11.io.lunar:x", **OPERATIONAL_KEYS})
        self.assertEqual(response.login_status, MISSING_PARAMETER)

    def test_unsupported_version(self):
        response = self.raw({"InitiatorName": "iqn.2026-11.io.lunar:x", "TargetName": TARGET}, version=9)
        self.assertEqual(response.login_status, UNSUPPORTED_VERSION)

    def test_unknown_key_is_not_understood(self):
        session = self.login(self.daemon, keys={"X-io.lunar.unheard-of": "1"})
        self.assertEqual(session.params["X-io.lunar.unheard-of"], "NotUnderstood")

    def test_negotiated_values_follow_the_result_functions(self):
        session = self.login(self.daemon, keys={
            "MaxBurstLength": "8192", "FirstBurstLength": "4096", "MaxConnections": "8",
            "ErrorRecoveryLevel": "2", "MaxOutstandingR2T": "1", "HeaderDigest": "CRC32C,None"})
        self.assertEqual(session.params["MaxBurstLength"], "8192")
        self.assertEqual(session.params["FirstBurstLength"], "4096")
        self.assertEqual(session.params["MaxConnections"], "1")
        self.assertEqual(session.params["ErrorRecoveryLevel"], "0")
        self.assertIn(session.params["HeaderDigest"], ("CRC32C", "None"))
        self.assertEqual(session.nop(b"after").data, b"after")

    def test_keys_split_over_continued_requests(self):
        session = self.login(self.daemon, login=False)
        text = wire.encode_keys({"InitiatorName": session.initiator, "TargetName": TARGET,
                                 **OPERATIONAL_KEYS})
        for part in (text[:100], text[100:107], text[107:]):
            request = session.login_request(1, 3, {})
            last = part == text[107:]
            if not last:
                request.flags = 0x40 | 1 << 2  # C, and no transition
            request.data, request.data_segment_length = part, len(part)
            session.send(request)
            response = session.receive()
            self.assertEqual(response.login_status, 0)
            if not last:
                self.assertEqual(response.flags & 0x80, 0)
                self.assertEqual(response.data, b"")
            session.exp_stat_sn = response.stat_sn + 1
        self.assertEqual(response.flags & 0x83, 0x83)


class Discovery(E2eCase):
    def test_send_targets(self):
        daemon = self.serve("--disk", "ram:1MiB")
        for session in (self.login(daemon, discovery=True), self.login(daemon)):
            answer = session.text({"SendTargets": "All" if session.discovery else ""})
            self.assertEqual(answer[0], ("TargetName", daemon.target))
            self.assertEqual(answer[1], ("TargetAddress", f"127.0.0.1:{daemon.port},1"))

    def test_of_one_name(self):
        session = self.login(self.serve("--disk", "ram:1MiB"), discovery=True)
        self.assertEqual(session.text({"SendTargets": TARGET})[0], ("TargetName", TARGET))
        self.assertEqual(session.text({"SendTargets": "iqn.2026-11.io.lunar:nobody"}), [])


# Some containers lack it.
HAS_IPV6 = any(line.split()[0] == "00000000000000000000000000000001"
               for line in Path("/proc/net/if_inet6").read_text().splitlines()) \
    if Path("/proc/net/if_inet6").exists() else False


class Portals(E2eCase):
    def addresses(self, daemon, reached) -> list:
        """What discovery tells who asks there."""
        session = Session((reached, daemon.port), discovery=True, timeout=15 * SLOWNESS)
        self.addCleanup(session.close)
        return [value for key, value in session.text({"SendTargets": "All"}) if key == "TargetAddress"]

    def serve_portals(self, *portals) -> Daemon:
        port = free_port()
        path = self.scratch / "lunar.toml"
        path.write_text(f"""
            device = [{{name = "d", type = "ram", size = "1MiB"}}]
            target = [{{name = "{TARGET}", lun = [{{device = "d"}}]}}]
            portal = [{", ".join(portals)}]
            """.replace("PORT", str(port)))
        return self.serve("--config", path, port=port, listen=False)

    def test_wildcards_of_both_families_tell_the_reached_address_of_one(self):
        daemon = self.serve_portals('{listen = "0.0.0.0:PORT", tag = 1}', '{listen = "[::]:PORT", tag = 2}')
        self.assertEqual(self.addresses(daemon, "127.0.0.1"), [f"127.0.0.1:{daemon.port},1"])
        self.assertEqual(self.addresses(daemon, "127.1.2.3"), [f"127.1.2.3:{daemon.port},1"])
        if HAS_IPV6:
            self.assertEqual(self.addresses(daemon, "::1"), [f"[::1]:{daemon.port},2"])

    def test_a_wildcard_of_both_families(self):
        port = free_port()
        daemon = self.serve("--disk", "ram:1MiB", "--listen", f"[::]:{port},ipv4", port=port, listen=False)
        self.assertEqual(self.addresses(daemon, "127.0.0.1"), [f"127.0.0.1:{port},1"])
        if HAS_IPV6:
            self.assertEqual(self.addresses(daemon, "::1"), [f"[::1]:{port},1"])
        daemon.wait_for_output(re.escape(f"[::]:{port} and IPv4"))
        daemon.wait_for_output(r" 127\.0\.0\.1:\d+: .* logged in ")  # an IPv4 peer is one

    def test_advertised_addresses_are_told_instead(self):
        port = free_port()
        daemon = self.serve("--disk", "ram:1MiB", "--listen",
                            f"127.0.0.1:{port},advertise=192.0.2.1:860,advertise=[2001:db8::1]",
                            port=port, listen=False)
        self.assertEqual(self.addresses(daemon, "127.0.0.1"),
                         ["192.0.2.1:860,1", f"[2001:db8::1]:{port},1"])


class Log(E2eCase):
    def test_a_login_names_target_portal_shard_and_what_it_sees(self):
        daemon = self.serve("--disk", "ram:1MiB", "--shards", "1")
        session = self.login(daemon)
        daemon.wait_for_output(rf"{session.initiator} logged in to {TARGET} by portal 127.0.0.1:{daemon.port},1 "
                               rf"on shard 0 \(TSIH {session.tsih}\): 1 LUN$")

    def test_discoveries_and_probes_end_without_a_word(self):
        daemon = self.serve("--disk", "ram:1MiB")
        peers = []
        for how in (self.login(daemon, discovery=True), self.login(daemon, discovery=True),
                    self.login(daemon, login=False)):
            peers.append("{}:{}".format(*how.socket.getsockname()))
            if len(peers) == 1:  # as iscsiadm does
                how.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            how.close()
        self.login(daemon).close()
        daemon.wait_for_output("closed by the initiator")
        lines = [line for line in daemon.output().splitlines() if any(peer + ":" in line for peer in peers)]
        self.assertEqual(len(lines), 2, daemon.output())
        for line in lines:
            self.assertIn(f"logged in to discovery by portal 127.0.0.1:{daemon.port},1", line)


class DataTransfer(E2eCase):
    """All ways to transfer data give the same bytes."""

    def round_trip(self, daemon, keys, length):
        disk = Disk(self.login(daemon, keys=keys)).settle()
        data = bytes(range(1, 252)) * (length // 251 + 1)
        disk.write(5, data[:length])
        self.assertEqual(disk.read(5, length // 512), data[:length])
        disk.session.logout()

    def test_immediate_unsolicited_and_solicited(self):
        daemon = self.serve("--disk", "ram:16MiB", "--disk", "ram:1MiB")
        for r2t, immediate, length in itertools.product(
                ("Yes", "No"), ("Yes", "No"), (512, 8192, 65536, 66048, 1 << 20)):
            with self.subTest(InitialR2T=r2t, ImmediateData=immediate, length=length):
                self.round_trip(daemon, {"InitialR2T": r2t, "ImmediateData": immediate}, length)

    def test_small_bursts_and_segments(self):
        daemon = self.serve("--disk", "ram:16MiB")
        for keys in ({"MaxRecvDataSegmentLength": "512"}, {"MaxBurstLength": "512", "FirstBurstLength": "512"},
                     {"MaxBurstLength": "5000", "FirstBurstLength": "1500", "InitialR2T": "No"},
                     {"MaxRecvDataSegmentLength": "16777215", "MaxBurstLength": "16777215"}):
            with self.subTest(**keys):
                self.round_trip(daemon, keys, 131072)

    def test_digests(self):
        daemon = self.serve("--disk", "ram:16MiB")
        for header, data in itertools.product(("None", "CRC32C"), repeat=2):
            with self.subTest(header=header, data=data):
                keys = {"HeaderDigest": header, "DataDigest": data}
                session = self.login(daemon, keys=keys)
                self.assertEqual((session.header_digest, session.data_digest),
                                 (header == "CRC32C", data == "CRC32C"))
                self.assertEqual(session.nop(b"odd").data, b"odd")  # a digest over padding
                self.round_trip(daemon, keys, 131072)
