# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Build XML and HTML elements from any text. Pure functions."""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

# Characters that neither XML 1.0 (section 2.2) nor HTML allows in a text, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: object) -> str:
    """Return the text with forbidden characters replaced by U+FFFD."""
    return _FORBIDDEN.sub("\ufffd", str(text))


def element(tag: str, *content: str | Element | None, **attributes: object) -> Element:
    """Return an element. ``class_`` becomes ``class``, ``aria_label`` ``aria-label``; None is skipped."""
    made = Element(tag, {_name(name): _value(value) for name, value in attributes.items() if value is not None})
    add(made, *content)
    return made


def add(parent: Element, *content: str | Element | None) -> None:
    """Append texts and elements in order."""
    for part in content:
        if part is None:
            continue
        if not isinstance(part, str):
            parent.append(part)
        elif len(parent):
            parent[-1].tail = (parent[-1].tail or "") + clean(part)
        else:
            parent.text = (parent.text or "") + clean(part)


def child(parent: Element, tag: str, *content: str | Element | None, **attributes: object) -> Element:
    """Append a new element and return it."""
    made = SubElement(parent, tag, element(tag, **attributes).attrib)
    add(made, *content)
    return made


def html(root: Element) -> str:
    """Return the text of an HTML document."""
    return f"<!doctype html>\n{_text(root, 'html')}\n"


def xml(root: Element) -> str:
    """Return the text of an XML document, to be encoded as UTF-8."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{_text(root, "xml")}\n'


def _text(root: Element, method: Any) -> str:
    return tostring(root, encoding="unicode", method=method)


def _name(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return clean(value)
