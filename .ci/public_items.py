"""Counts the public items of a library from rustdoc's JSON, and fails when there are more than a bound.

An item counts once for the library, by the first public path that reaches it from the root: structs, enums and their
variants, public fields of structs, traits and their items, functions, inherent methods and associated constants,
constants, statics, type aliases, exported macros. Modules, fields of variants and what implementations of traits add do
not count.

    python3 .ci/public_items.py target/.../doc/bemr.json 1200 [--list]
"""

import json
import sys
from collections import Counter

COUNTED = {"struct", "enum", "union", "trait", "function", "constant", "static", "type_alias", "macro"}


class Library:
    def __init__(self, doc):
        self.root, self.index = doc["root"], doc["index"]
        self.seen, self.items = set(), []

    def get(self, number):
        return self.index.get(str(number))

    def add(self, kind, path):
        self.items.append((kind, "::".join(path)))

    def children(self, kind, numbers, path, only_public=False):
        for number in numbers:
            item = self.get(number)
            if item and (not only_public or item["visibility"] == "public"):
                self.add(kind, path + [item["name"]])

    def visit(self, number, path):
        item = self.get(number)
        if item is None or item["crate_id"] != 0 or item["visibility"] != "public":
            return
        ((kind, inner),) = item["inner"].items()
        if kind == "use":
            target = self.get(inner["id"]) if inner["id"] is not None else None
            if target is None or not inner["is_glob"]:
                return self.visit(inner["id"], path)
            ((_, module),) = target["inner"].items()
            for child in module.get("items", module.get("variants", [])):
                self.visit(child, path)
            return
        if number in self.seen:
            return
        self.seen.add(number)
        path = path + [item["name"]]
        if kind == "module":
            for child in inner["items"]:
                self.visit(child, path)
        if kind in COUNTED:
            self.add(kind, path)
            self.members(kind, inner, path)

    def members(self, kind, inner, path):
        if kind == "struct" and isinstance(inner["kind"], dict):
            ((shape, fields),) = inner["kind"].items()
            fields = fields["fields"] if shape == "plain" else [field for field in fields if field is not None]
            self.children("field", fields, path, only_public=True)
        if kind == "enum":
            self.children("variant", inner["variants"], path)
        if kind == "trait":
            self.children("item of a trait", inner["items"], path)
        if kind in ("struct", "enum", "union"):
            for number in inner["impls"]:
                implementation = self.get(number)
                if implementation and implementation["inner"]["impl"]["trait"] is None:
                    members = implementation["inner"]["impl"]["items"]
                    self.children("method", members, path, only_public=True)


def main():
    file, bound, *options = sys.argv[1:]
    with open(file, encoding="utf-8") as source:
        library = Library(json.load(source))
    library.visit(library.root, [])
    if "--list" in options:
        print("\n".join(f"{kind} {path}" for kind, path in library.items))
    count = len(library.items)
    kinds = ", ".join(f"{number} {kind}" for kind, number in Counter(kind for kind, _ in library.items).most_common())
    print(f"{count} public items, at most {bound}: {kinds}")
    # A format that this script does not understand must not pass for a small library.
    if not 500 <= count <= int(bound):
        sys.exit(1)


main()
