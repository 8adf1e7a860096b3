#!/usr/bin/env python3
"""cmake/batches.py separates files whose meaning would change together."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "cmake"))

# pylint: disable=wrong-import-position
from batches import batches_of

OTHER = "namespace lunar {\nnamespace {\nint other() { return 1; }\n}\nint b() { return other(); }\n}\n"


class Batches(unittest.TestCase):
    def batches(self, *texts, limit=8):
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for number, text in enumerate(texts):
                files.append(f"{folder}/{number}.cpp")
                Path(files[-1]).write_text(text)
            return [len(batch) for batch in batches_of(files, limit)]

    def private(self, declaration):
        return f"namespace lunar {{\nnamespace {{\n{declaration}\n}}  // namespace\n}}\n"

    def test_strangers_go_together_up_to_the_limit(self):
        self.assertEqual(self.batches(OTHER, self.private("int mine();")), [2])
        self.assertEqual(self.batches(*[f"int f{number}();" for number in range(5)], limit=2), [2, 2, 1])

    def test_a_name_of_one_that_the_other_mentions_keeps_them_apart(self):
        for declaration in ("int other() { return 2; }", "constexpr int other = 2;", "struct other { int x; };",
                            "using other = int;", "using namespace_of::other;", "template <class T> T other(T t);",
                            "const std::array<std::pair<int, int>, 2> other{{1, 2}};", "enum class other : int { x };",
                            "namespace other = lunar::base;", "[[nodiscard]] int other();", "int other[] = {1};"):
            self.assertEqual(self.batches(OTHER, self.private(declaration)), [1, 1], declaration)
            self.assertEqual(self.batches(self.private(declaration), OTHER), [1, 1], declaration)

    def test_the_same_using_declaration_is_fine(self):
        self.assertEqual(self.batches(*2 * [self.private("using spec::Opcode;")]), [2])
        self.assertEqual(self.batches(self.private("using spec::Opcode;"), self.private("using other::Opcode;")), [1, 1])

    def test_macros_keep_apart(self):
        self.assertEqual(self.batches("#define other 3\n", OTHER), [1, 1])

    def test_members_and_comments_are_no_mention(self):
        self.assertEqual(self.batches(OTHER, "// other\nint c(S s) { return s.other + S::other; }\n"), [2])


if __name__ == "__main__":
    unittest.main()
