"""Login and text negotiation on the wire (RFC 7143 s6, s13)."""

import itertools

from lunar_e2e import pdu as wire
from lunar_e2e.case import E2eCase
from lunar_e2e.disk import Disk
from lunar_e2e.initiator import OPERATIONAL_KEYS, TARGET, LoginFailed, Session

TARGET_NOT_FOUND, UNSUPPORTED_VERSION, MISSING_PARAMETER, NO_SUCH_SESSION = 0x0203, 0x0205, 0x0207, 0x020A


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


class DataTransfer(E2eCase):
    """Every way that data may travel gives the same bytes."""

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
