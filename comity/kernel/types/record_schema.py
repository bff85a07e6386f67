"""The JSON Schema of a type's records and fields, standing alone: for OpenAPI, forms and other programs."""

from __future__ import annotations

from typing import Any

from comity.kernel.types.catalogue import Field, Type


def field_schema(one: Field) -> dict[str, Any]:
    """A field's schema with its codes spelled out as an `enum`, its label as `title` and its term as `x-term`."""
    out = dict(one.schema)
    if one.values is not None:
        allowed = {"enum": list(one.values)}
        if out.get("type") == "array":
            out["items"] = {**out.get("items", {"type": "string"}), **allowed}
        else:
            out |= allowed
    if one.label:
        out["title"] = one.label
    for key, value in (("x-term", one.term), ("x-unit", one.unit), ("x-group", one.group)):
        if value:
            out[key] = value
    return out


def object_schema(of: Type) -> dict[str, Any]:
    """The whole record's fields: closed, with what is required on entry. `x-links`: the links that take only targets
    of one shape, each with the types and the values of which a target has one."""
    out: dict[str, Any] = {
        "type": "object",
        "title": of.title,
        "additionalProperties": False,
        "properties": {name: field_schema(one) for name, one in of.fields.items()},
    }
    shaped = {
        name: {"to": list(link.to), "where": link.shape.as_json()} for name, link in of.links.items() if link.shape
    }
    if shaped:
        out["x-links"] = shaped
    required = [name for name, one in of.fields.items() if of.initial in one.required_in]
    return {**out, "required": required} if required else out
