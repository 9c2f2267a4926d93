"""Packages of the standard library that are written in C and in Python: json, decimal, xml, pickle, copy, struct, csv."""

import copy
import csv
import datetime
import decimal
import fractions
import hashlib
import io
import json
import pickle
import struct
import xml.etree.ElementTree
import zlib

document = {"items": [{"id": i, "name": f"item {i}", "tags": ["a", "b"], "price": i * 1.25} for i in range(200)]}
text = json.dumps(document, indent=1)
loaded = json.loads(text)
decimals = [decimal.Decimal(i) / 7 for i in range(200)]
total = sum(decimals)
rationals = [fractions.Fraction(i, 12) for i in range(100)]
root = xml.etree.ElementTree.fromstring("<r>" + "".join(f"<i n='{i}'>t{i}</i>" for i in range(200)) + "</r>")
found = [element.text for element in root.iter("i")]
pickled = pickle.dumps(document)
unpickled = pickle.loads(pickled)
deep = copy.deepcopy(document)
shallow = copy.copy(document)
rows = list(csv.DictReader(io.StringIO("a,b,c\n" + "\n".join(f"{i},{i*i},x" for i in range(200)))))
packed = [struct.pack("<iqd", i, i * i, i / 3) for i in range(100)]
unpacked = [struct.unpack("<iqd", one) for one in packed]
days = [datetime.date(2020, 1, 1) + datetime.timedelta(days=i) for i in range(200)]
digests = [hashlib.sha256(str(i).encode()).hexdigest() for i in range(50)]
compressed = zlib.compress(text.encode())
