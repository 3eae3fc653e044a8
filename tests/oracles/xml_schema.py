"""Says which XML documents are not what a schema wants: xml_schema.py SCHEMA DIRECTORY."""

import pathlib
import sys

from lxml import etree

schema = etree.XMLSchema(etree.parse(sys.argv[1]))
looked = 0
for path in sorted(pathlib.Path(sys.argv[2]).iterdir()):
    looked += 1
    try:
        document = etree.parse(str(path))
    except etree.XMLSyntaxError as error:
        print(f"{path.name}: {error}")
        continue
    if not schema.validate(document):
        print(f"{path.name}: {schema.error_log.last_error}")
    for suite in document.iter("testsuite"):
        for attribute, element in (("tests", "testcase"), ("failures", "*/failure"), ("errors", "*/error"), ("skipped", "*/skipped")):
            counted = len(suite.findall(element))
            if int(suite.get(attribute)) != counted:
                print(f"{path.name}: {suite.get('name')} says {attribute} {suite.get(attribute)} and has {counted}")
print(f"looked at {looked}")
