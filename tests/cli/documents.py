"""JSON documents of the program against their schemas in docs/schema."""
import copy
import json

import jsonschema

import harness


def _strict(schema):
    """Readers allow keys that they do not know; the program may not print one that is not documented."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" and "properties" in schema:
            schema["additionalProperties"] = False
        for value in schema.values():
            _strict(value)
    elif isinstance(schema, list):
        for value in schema:
            _strict(value)
    return schema


def check(document, name):
    """document: of `pgfold NAME --json`. Returns it."""
    text = (harness.ROOT / "docs" / "schema" / f"{name}.json").read_text(encoding="utf-8")
    schema = _strict(copy.deepcopy(json.loads(text)))
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.validate(document, schema)
    return document
