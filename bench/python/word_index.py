"""an index of documents that stays in memory and grows: words to places, documents by words, some of it
replaced"""

import collections
import sys

ROUNDS = 23
DOCUMENTS = 60
WORDS = 120
VOCABULARY = 4001


class Document:
    def __init__(self, number, text):
        self.title = f"document {number}"
        self.text = text
        self.count = collections.Counter(text.split())


class Index:
    def __init__(self):
        self.documents = {}
        self.places = collections.defaultdict(list)  # word -> [(document's number, position)]

    def add(self, number, text):
        self.documents[number] = Document(number, text)
        for position, word in enumerate(text.split()):
            self.places[sys.intern(word)].append((number, position))

    def replace(self, number, text):
        for word in self.documents.pop(number).count:
            self.places[word] = [place for place in self.places[word] if place[0] != number]
        self.add(number, text)

    def search(self, *words):
        """The documents with all of the words, those that have them most often first."""
        found = [{number for number, _ in self.places.get(word, ())} for word in words]
        numbers = set.intersection(*found)
        return sorted(numbers, key=lambda n: (-sum(self.documents[n].count[w] for w in words), n))


def text(number):
    state, words = number * 2654435761 % 2**31, []
    for _ in range(WORDS):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        place = state >> 8
        words.append(f"word{place % VOCABULARY if place % 3 else place % 40}")
    return " ".join(words)


def main(rounds):
    index, total = Index(), 0
    for number in range(rounds * DOCUMENTS):
        index.add(number, text(number))
        if number % 10 == 9:
            index.replace(number // 2, text(-number))
            found = index.search(f"word{number % 40}", f"word{number * 7 % 40}")
            total += len(found) + found[0] if found else 1
    return f"{total} {sum(map(len, index.places.values()))}"


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
