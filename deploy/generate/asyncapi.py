"""An AsyncAPI 3.1 document per producing service: services/*/contracts/asyncapi.json.

Channels are the routing keys of the one exchange, payload schemas are inferred from the example messages.
"""

from itertools import groupby
from pathlib import Path
from typing import Any

from deploy.generate.repository import ROOT, SERVICES, Example, examples, json_text
from shared.events import routing_key
from shared.topology import EVENTS

HEADERS = {
    "type": "object",
    "description": "CloudEvents 1.0 in binary mode; every header is a string.",
    "required": [
        "cloudEvents_specversion",
        "cloudEvents_id",
        "cloudEvents_source",
        "cloudEvents_type",
        "cloudEvents_subject",
        "cloudEvents_time",
        "cloudEvents_sequence",
        "cloudEvents_aggregateversion",
        "cloudEvents_day",
        "cloudEvents_amountfen",
    ],
    "properties": {
        "cloudEvents_specversion": {"type": "string", "const": "1.0"},
        "cloudEvents_id": {"type": "string", "format": "uuid"},
        "cloudEvents_source": {"type": "string", "description": "/apotheca/<service>"},
        "cloudEvents_type": {"type": "string"},
        "cloudEvents_subject": {"type": "string", "description": "Id of the aggregate."},
        "cloudEvents_time": {"type": "string", "format": "date-time"},
        "cloudEvents_sequence": {
            "type": "string",
            "pattern": "^[0-9]{20}$",
            "description": "Contiguous per source, given after commit.",
        },
        "cloudEvents_aggregateversion": {"type": "string", "pattern": "^[0-9]+$"},
        "cloudEvents_day": {"type": "string", "format": "date", "description": "Business day in Shanghai."},
        "cloudEvents_amountfen": {
            "type": "string",
            "pattern": "^-?[0-9]+$",
            "description": "Control amount in fen.",
        },
        "cloudEvents_traceparent": {"type": "string"},
        "cloudEvents_correlationid": {"type": "string"},
        "cloudEvents_causationid": {"type": "string"},
    },
}


def documents() -> dict[Path, str]:
    """One document per service that has examples."""
    made = {}
    for producer, group in groupby(examples(), key=lambda example: example.producer):
        path = ROOT / "services" / SERVICES[producer] / "contracts" / "asyncapi.json"
        made[path] = json_text(_document(producer, list(group)))
    return made


def schema_of(value: Any) -> dict[str, Any]:
    """The JSON Schema that the example shows. A null may be text in other messages; unknown fields may come."""
    if value is None:
        return {"type": ["string", "null"]}
    if isinstance(value, dict):
        return {
            "type": "object",
            "required": sorted(value),
            "properties": {name: schema_of(inner) for name, inner in value.items()},
        }
    if isinstance(value, list):
        return {"type": "array", **({"items": schema_of(value[0])} if value else {})}
    if isinstance(value, bool):
        return {"type": "boolean"}
    return {"type": "integer"} if isinstance(value, int) else {"type": "string"}


def _document(producer: str, published: list[Example]) -> dict[str, Any]:
    exchange = {"name": EVENTS.name, "type": "topic", "durable": True, "autoDelete": False, "vhost": "/"}
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": f"Apotheca {SERVICES[producer]}: events",
            "version": "1.0.0",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            _name(example.type): {
                "address": routing_key(example.type),
                "messages": {"event": {"$ref": f"#/components/messages/{_name(example.type)}"}},
                "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": "0.3.0"}},
            }
            for example in published
        },
        "operations": {
            f"send_{_name(example.type)}": {
                "action": "send",
                "channel": {"$ref": f"#/channels/{_name(example.type)}"},
                "messages": [{"$ref": f"#/channels/{_name(example.type)}/messages/event"}],
            }
            for example in published
        },
        "components": {
            "messages": {_name(example.type): _message(example) for example in published},
            "schemas": {"headers": HEADERS},
        },
    }


def _message(example: Example) -> dict[str, Any]:
    return {
        "name": example.type,
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/headers"},
        "payload": schema_of(example.data),
        "examples": [{"payload": example.data}],
    }


def _name(event_type: str) -> str:
    return event_type.replace(".", "_")
