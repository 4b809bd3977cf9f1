"""The text that the tiny model is trained on: short stories for children, and little sums.

Nothing is read from anywhere; every document comes out of the grammar in plots.py and a seed.
A template is plain text with two additions:

    [one|two|three]   one of the alternatives, each as likely as the others; they nest
    {name}            a field; {Name} is the same field with a capital letter

A field is expanded when it is first met and stays the same to the end of the story: that is what
makes a story hang together. `Teller.nats` counts what all the choices cost, -log of the
probability of the derivation. Text can have several derivations, so this is an upper bound of
the grammar's entropy: the loss that a model which knew the grammar by heart would reach.

    python3 stories.py 5        prints five documents
"""

import functools
import math
import random
import re
import sys

import plots

SEED_TOKENIZER, SEED_TRAIN, SEED_TEST = 1, 2, 3
SUM_SHARE = 0.65  # of the documents; they are ten times shorter than stories

# Sums that are never shown in training, in either order: one in ten of all pairs below 100.
PAIRS = [(a, b) for a in range(100) for b in range(a, 100)]
HELD_OUT = frozenset(random.Random(4).sample(PAIRS, len(PAIRS) // 10))


def held_out(a, b):
    return (min(a, b), max(a, b)) in HELD_OUT


@functools.lru_cache(maxsize=None)
def parse(template):
    """A template as a list of strings and, for each [..|..], a tuple of such lists."""
    stack = [[[]]]  # open brackets, their alternatives, the parts of each
    for part in re.split(r"([\[\]|])", template):
        if part == "[":
            stack.append([[]])
        elif part == "|" and len(stack) > 1:
            stack[-1].append([])
        elif part == "]":
            alternatives = stack.pop()
            stack[-1][-1].append(tuple(alternatives))
        elif part:
            stack[-1][-1].append(part)
    if len(stack) != 1:
        raise ValueError("brackets do not match: " + template)
    return stack[0][0]


class Teller:
    """Draws documents; the same seed tells the same ones."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.nats = 0.0

    def pick(self, options):
        self.nats += math.log(len(options))
        return options[int(self.random.random() * len(options))]

    def choose(self, parts):
        return "".join(
            part if isinstance(part, str) else self.choose(self.pick(part)) for part in parts
        )

    def expand(self, template, fields):
        def field(match):
            name = match[1]
            if name not in fields and name.lower() in fields:
                value = fill(name.lower())
                return value[0].upper() + value[1:]
            return fill(name)

        def fill(name):
            if "{" in fields[name] or "[" in fields[name]:
                fields[name] = self.expand(fields[name], fields)
            return fields[name]

        return re.sub(r"\{(\w+)\}", field, self.choose(parse(template)))

    def character(self, prefix, fields, kinds, taken=None):
        """Sets {hero}, {title}, {kind}, {he}, {him}, {his}, {himself}, with the prefix; {fmeet}."""
        group = self.pick(kinds)
        she = self.pick((False, True))
        names = [n for n in plots.NAMES[group][she] if n != taken]
        name = self.pick(names)
        if group == "child":
            kind = "girl" if she else "boy"
            title = name
            meet = "[{his} friend %s|a %s named %s]" % (name, kind, name)
        else:
            kind = self.pick(plots.ANIMALS)
            title = "%s the %s" % (name, kind)
            meet = "[a friendly|a little|an old] %s named %s" % (kind, name)
        words = ("she", "her", "her", "herself") if she else ("he", "him", "his", "himself")
        for key, value in zip(("he", "him", "his", "himself"), words):
            fields[prefix + key] = value
        fields[prefix + "hero"] = name
        fields[prefix + "kind"] = kind
        fields[prefix + "title"] = title
        if prefix:
            fields["fmeet"] = meet

    def story(self):
        plot = self.pick(plots.PLOTS)
        opening = self.pick(plots.OPENINGS)
        fields = {**plots.FIELDS, **opening, **plot["fields"], **self.pick(plot["cases"])}
        self.character("", fields, plot["hero"])
        self.character("f", fields, plot["friend"], fields["hero"])
        if plot["counts"]:
            self.count(fields)
        text = "{intro} " + plot["text"].replace("{hero}", "{one}", 1)
        text = " ".join(self.expand(text, fields).split())
        text = re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)
        return re.sub(r"(^|[.!?] )([a-z])", lambda m: m[1] + m[2].upper(), text)

    def count(self, fields):
        """Sets {a}, {b} and {c} = {a} + {b} for a story in which somebody counts."""
        pairs = [(a, b) for a in range(2, 10) for b in range(2, 10) if not held_out(a, b)]
        a, b = self.pick(pairs)
        fields.update(a=str(a), b=str(b), c=str(a + b))

    def sum(self, unseen=False):
        """One or two digits each, equally often, so that small numbers are not rare."""
        while True:
            before = self.nats
            a = self.pick(range(10) if self.pick((1, 2)) == 1 else range(10, 100))
            b = self.pick(range(10) if self.pick((1, 2)) == 1 else range(10, 100))
            if held_out(a, b) == unseen:
                return "%d + %d = %d." % (a, b, a + b)
            self.nats = before

    def document(self):
        if self.random.random() < SUM_SHARE:
            self.nats -= math.log(SUM_SHARE)
            return self.sum()
        self.nats -= math.log(1 - SUM_SHARE)
        return self.story()


if __name__ == "__main__":
    teller = Teller(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 1):
        print(teller.document())
