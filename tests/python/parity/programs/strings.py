"""Strings of all widths, joined, formatted, encoded, split, interned; bytes; regular expressions; text streams."""

import io
import re
import string
import sys
import textwrap

words = [f"word{i:05d}" for i in range(1000)]
text = " ".join(words)
parts = text.split()
upper = text.upper()
wide = [chr(0x4E00 + i) * 20 for i in range(100)]
wider = [chr(0x1F600 + i) + "x" * i for i in range(60)]
latin = ["\u00e9" * i for i in range(50)]
encoded = [one.encode("utf-8") for one in wide + wider]
decoded = [one.decode("utf-8") for one in encoded]
interned = [sys.intern("interned_" + str(i)) for i in range(200)]
matches = re.findall(r"word0*(\d+)", text)
substituted = re.sub(r"(\d)(\d)", lambda m: m.group(2) + m.group(1), text)
groups = [re.match(r"(?P<kind>[a-z]+)(?P<number>\d+)", word) for word in words[:100]]
template = [string.Template("$a and $b").substitute(a=i, b=i * i) for i in range(50)]
stream = io.StringIO()
for word in words:
    stream.write(word)
    stream.write("\n")
buffer = io.BytesIO()
for word in words:
    buffer.write(word.encode())
value = buffer.getvalue()
wrapped = textwrap.wrap(text[:2000], 40)
translated = text.translate({ord("w"): "W", ord("0"): None})
percent = ["%s-%d-%.3f" % (word, i, i / 7) for i, word in enumerate(words[:200])]
