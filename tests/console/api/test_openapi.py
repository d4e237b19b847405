from modicum.console.api.openapi import describe
from modicum.console.api.operations import OPERATIONS, PREFIX


def test_every_operation_is_described_with_what_it_takes_and_gives():
    document = describe(OPERATIONS)
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}

    assert described == {(one.method, f"{PREFIX}{one.path}") for one in OPERATIONS}
    limit = document["paths"]["/api/v1/budgets/{name}/limit"]["put"]
    assert limit["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/NewLimit"}
    assert limit["parameters"][0]["name"] == "name"
    assert "204" in document["paths"]["/api/v1/keys/{key_id}"]["delete"]["responses"]
    ids = [one["operationId"] for methods in document["paths"].values() for one in methods.values()]
    assert len(set(ids)) == len(ids)


def test_every_reference_leads_somewhere():
    document = describe(OPERATIONS)
    names = {word.rpartition("/")[2] for word in _references(document)}

    assert names <= set(document["components"]["schemas"])


def _references(value):
    if isinstance(value, dict):
        for name, one in value.items():
            yield from [one] if name == "$ref" else _references(one)
    elif isinstance(value, list):
        for one in value:
            yield from _references(one)
