"""Tests of the harness, where a wrong harness could pass a wrong target."""

import unittest

from lunar_e2e import conformance, crc32c, pdu


class Crc32c(unittest.TestCase):
    def test_vectors_of_rfc_3720_b4(self):
        self.assertEqual(crc32c.digest(bytes(32)).hex(), "aa36918a")
        self.assertEqual(crc32c.digest(b"\xff" * 32).hex(), "43aba862")
        self.assertEqual(crc32c.digest(bytes(range(32))).hex(), "4e79dd46")


class PduFields(unittest.TestCase):
    def test_stand_where_rfc_7143_puts_them(self):
        request = pdu.Pdu(pdu.SCSI_COMMAND | pdu.IMMEDIATE, 0xE1, b"abc", lun=pdu.encode_lun(3),
                          initiator_task_tag=0x01020304, cmd_sn=0x05060708, exp_stat_sn=0x090A0B0C)
        request.expected_data_transfer_length = 0x10203040
        request.cdb = bytes([0x12, 0, 0, 0, 36, 0])
        self.assertEqual(request.bhs.hex(), "41e10000000000030003000000000000"
                         "01020304102030400506070809" "0a0b0c" "12000000240000000000000000000000")

    def test_text_keys_round_trip(self):
        pairs = [("A", "1"), ("A", "2"), ("B", "x=y")]
        self.assertEqual(pdu.decode_keys(pdu.encode_keys(pairs)), pairs)


class Conformance(unittest.TestCase):
    def test_the_tool_has_the_tests_that_the_families_name(self):
        families = {name.split(".")[0] for name in conformance.list_tests()}
        self.assertEqual(len(families), 49, sorted(families))

    def test_a_test_that_does_not_exist_is_a_failure(self):
        # iscsi-test-cu runs nothing and exits with 0.
        self.assertEqual(conformance.outcome_of("No.Such", "iscsi://127.0.0.1:1/iqn.x:y/0")[0], "fail")
