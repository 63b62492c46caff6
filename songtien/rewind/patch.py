"""The difference of two documents, and a document with it: pictures change a little at a time.

A patch is None where nothing changed, else one of
    ["=", document]                    another document
    ["{", {name: patch}, [names]]      fields that changed or are new, fields that are gone
    ["[", {index: patch}]              elements of a list that is as long as before
"""

from typing import Any

Patch = list[Any] | None


def difference(old: Any, new: Any) -> Patch:
    """What makes `new` of `old`. Both are of dicts with texts as names, lists, texts, numbers."""
    if isinstance(old, dict) and isinstance(new, dict):
        changed: dict[str, Patch] = {}
        for name, value in new.items():
            found = difference(old[name], value) if name in old else ["=", value]
            if found is not None:
                changed[name] = found
        gone = [name for name in old if name not in new]
        return ["{", changed, gone] if changed or gone else None
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        at = {
            str(index): found
            for index, (before, after) in enumerate(zip(old, new, strict=True))
            if (found := difference(before, after)) is not None
        }
        return ["[", at] if at else None
    # True is 1 for Python and not for whoever reads the document.
    return None if old == new and type(old) is type(new) else ["=", new]


def patched(old: Any, patch: Patch) -> Any:
    """The document that the patch was made for; `old` stays as it is."""
    if patch is None:
        return old
    kind = patch[0]
    if kind == "=":
        return patch[1]
    if kind == "[":
        return [patched(each, patch[1].get(str(index))) for index, each in enumerate(old)]
    gone = set(patch[2])
    # In the order of before, as long as there was one: equal documents, equal bytes.
    kept = {n: patched(v, patch[1].get(n)) for n, v in old.items() if n not in gone}
    return kept | {n: patched(None, p) for n, p in patch[1].items() if n not in old}
