"""xml.etree: a tree built, written, parsed, searched, changed and read again element by element"""

import io
import sys
import xml.etree.ElementTree as ElementTree

ROUNDS = 58
BOOKS = 250


def built():
    root = ElementTree.Element("library", {"name": "bench", "city": "Köln"})
    for i in range(BOOKS):
        book = ElementTree.SubElement(root, "book", id=str(i), shelf=f"s{i % 12}")
        ElementTree.SubElement(book, "title").text = f"Title <{i}> & more"
        ElementTree.SubElement(book, "price", currency="EUR").text = f"{i * 7 % 90}.50"
        authors = ElementTree.SubElement(book, "authors")
        for j in range(i % 4):
            author = ElementTree.SubElement(authors, "author")
            author.text = f"Author {i * j}"
            author.tail = "\n"
    return root


def searched(root):
    total = len(root.findall("./book[@shelf='s7']")) + len(root.findall(".//author"))
    for book in root.iter("book"):
        total += len(book.findtext("title")) + int(float(book.find("price").text))
        if int(book.get("id")) % 5 == 0:
            book.set("old", "yes")
            book.remove(book.find("authors"))
    return total


def streamed(text):
    """Sums prices while it reads, and lets go of what it has read."""
    total = 0.0
    for _, element in ElementTree.iterparse(io.BytesIO(text), ("end",)):
        if element.tag == "price":
            total += float(element.text)
        elif element.tag == "book":
            element.clear()
    return int(total)


def pulled(text):
    parser = ElementTree.XMLPullParser(("start",))
    count = 0
    for at in range(0, len(text), 2048):
        parser.feed(text[at : at + 2048])
        count += sum(1 for _ in parser.read_events())
    return count


def main(rounds):
    total = 0
    for _ in range(rounds):
        text = ElementTree.tostring(built(), encoding="utf-8")
        root = ElementTree.fromstring(text)
        total += searched(root)
        text = ElementTree.tostring(root, encoding="utf-8")
        total += len(text) + streamed(text) + pulled(text)
    return total


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
