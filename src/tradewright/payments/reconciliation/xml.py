"""XML of banks: read with no document type, so that no entity is declared, expanded or fetched."""

from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from tradewright.core.statements import unreadable

DEPTH_MAX = 64
"""So deep elements may lie in each other; a statement has about twelve."""


def parse(content: bytes) -> Element:
    """Return the root of a document.

    Raises:
        InputError: STATEMENT_UNREADABLE.

    """
    builder, depth = TreeBuilder(), 0

    def begin(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEPTH_MAX:
            raise unreadable("its elements lie too deep", f"At most {DEPTH_MAX} are read.")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise unreadable("it is no XML", str(error)) from None
    return builder.close()


def name(element: Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def find_all(element: Element, *path: str) -> list[Element]:
    """Return every element at a path below another."""
    found = [element]
    for step in path:
        found = [each for parent in found for each in parent if name(each) == step]
    return found


def find(element: Element, *path: str) -> Element | None:
    """Return the one element at a path, or None.

    Raises:
        InputError: STATEMENT_UNREADABLE when there are several.

    """
    found = find_all(element, *path)
    if len(found) > 1:
        raise unreadable(f"it says {'/'.join(path)} more than once", "Which of them holds is open.")
    return found[0] if found else None


def text(element: Element, *path: str) -> str:
    """Return the words of the one element at a path, or nothing.

    Raises:
        InputError: STATEMENT_UNREADABLE when there are several.

    """
    found = find(element, *path)
    return "" if found is None else (found.text or "").strip()


def _refuse_doctype(*_: object) -> None:
    raise unreadable("it declares a document type", "Statements need none, and attacks do.")
