"""``skipped.py REPORT``: fails if tests of the window were skipped or not there. The report is pytest's --junitxml."""

import sys
import xml.etree.ElementTree as tree

tests = [test for test in tree.parse(sys.argv[1]).iter("testcase") if "tests.gui." in test.get("classname", "")]
skipped = [f"{test.get('classname')}.{test.get('name')}" for test in tests if test.find("skipped") is not None]
if skipped or not tests:
    sys.exit("tests of the window were skipped:\n" + "\n".join(skipped or ["all of them"]))
