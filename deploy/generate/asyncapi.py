"""An AsyncAPI 3.1 document per producing service: services/*/contracts/asyncapi.json.

Channels are the routing keys of the one exchange, payloads the declared types of the events, examples the messages
in contracts/events/.
"""

from pathlib import Path
from typing import Any, get_args

from deploy.generate.payloads import components, declared
from deploy.generate.repository import ROOT, SERVICES, Example, examples, json_text
from shared import __version__, texts, vocabulary
from shared.events import routing_key
from shared.texts import published
from shared.topology import EVENTS

TEXT_512 = {"type": "string", "pattern": "^[!-~]{1,512}$", "maxLength": 512}
DAY, INSTANT = (published(get_args(each)[1].pattern) for each in (texts.Day, texts.Instant))
_INTEGER = "^-?(0|[1-9][0-9]{0,18})$"
HEADERS: dict[str, Any] = {
    "type": "object",
    "description": "CloudEvents 1.0 in binary mode; every header is a string. Others may come.",
    "required": [
        "cloudEvents_specversion",
        "cloudEvents_id",
        "cloudEvents_source",
        "cloudEvents_type",
        "cloudEvents_subject",
        "cloudEvents_time",
        "cloudEvents_sequence",
        "cloudEvents_epoch",
        "cloudEvents_aggregateversion",
        "cloudEvents_day",
        "cloudEvents_amountfen",
    ],
    "properties": {
        "cloudEvents_specversion": {
            "type": "string",
            "const": "1.0",
            "description": "Version of CloudEvents.",
        },
        "cloudEvents_id": {
            "type": "string",
            "format": "uuid",
            "description": "Of the event: the same in every delivery of it. Also the AMQP message_id.",
        },
        "cloudEvents_source": {
            "type": "string",
            "enum": [f"/apotheca/{package}" for package in SERVICES],
            "description": "Who says so.",
        },
        "cloudEvents_type": {
            "type": "string",
            "pattern": r"^[a-z_]{1,40}\.[a-z_]{1,40}\.[a-z_]{1,40}\.v[0-9]{1,4}$",
            "description": "The last part is the major version: within it fields are only added.",
        },
        "cloudEvents_subject": {**TEXT_512, "description": "Id of the aggregate."},
        "cloudEvents_time": {
            "type": "string",
            "format": "date-time",
            "pattern": INSTANT,
            "description": "When it was decided.",
        },
        "cloudEvents_sequence": {
            "type": "string",
            "pattern": "^[0-9]{20}$",
            "description": "Contiguous per source, given after commit: a number left out is an event to be fetched.",
        },
        "cloudEvents_epoch": {
            "type": "string",
            "pattern": "^[1-9][0-9]{0,18}$",
            "description": "Incarnation of the source's log: it rises when the log was set back and goes on. "
            "Source, epoch and sequence name an event.",
        },
        "cloudEvents_aggregateversion": {
            "type": "string",
            "pattern": "^[1-9][0-9]{0,18}$",
            "description": "Of the aggregate after the fact; of two states the higher is the newer.",
        },
        "cloudEvents_day": {
            "type": "string",
            "format": "date",
            "pattern": DAY,
            "description": "Business day in Shanghai.",
        },
        "cloudEvents_amountfen": {
            "type": "string",
            "pattern": _INTEGER,
            "description": "Control amount in fen, summed per day and type.",
        },
        "cloudEvents_traceparent": {**TEXT_512, "description": "W3C trace context of what decided it."},
        "cloudEvents_correlationid": {
            **TEXT_512,
            "description": "Of the request that all of this follows from.",
        },
        "cloudEvents_causationid": {**TEXT_512, "description": "Id of the event that it was decided upon."},
    },
}
SERVERS: dict[str, Any] = {
    "broker": {
        "host": "{host}:{port}",
        "protocol": "amqp",
        "protocolVersion": "0.9.1",
        "description": "RabbitMQ 3.10 or later; by TLS (`amqps`, port 5671) where the deployment offers it. A "
        "reader has a login and a queue of its own: docs/consuming-events.md.",
        "variables": {
            "host": {"default": "rabbitmq", "description": "As the deployment names its broker."},
            "port": {"default": "5672", "description": "5671 with TLS."},
        },
        "security": [{"$ref": "#/components/securitySchemes/login"}],
        "bindings": {"amqp": {}},
    }
}
LOGIN = {
    "type": "userPassword",
    "description": "SASL PLAIN: a login that may read the exchange and owns the queues under its own name.",
}


def documents() -> dict[Path, str]:
    """One document per service that publishes."""
    return {
        ROOT / "services" / folder / "contracts" / "asyncapi.json": json_text(document_of(package))
        for package, folder in SERVICES.items()
        if declared(package)
    }


def document_of(producer: str) -> dict[str, Any]:
    payloads, named = components(producer)
    vocabulary.describe(named, producer)
    shown = [each for each in examples() if each.producer == producer]
    exchange = {"name": EVENTS.name, "type": "topic", "durable": True, "autoDelete": False, "vhost": "/"}
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": f"Apotheca {SERVICES[producer]}: events",
            "version": __version__,
            "description": "Facts, told after their commit, at least once and in any order. A reader passes over "
            "fields that it does not know, and keeps events of a type that it does not know until somebody decides.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": SERVERS,
        "channels": {
            _name(kind): {
                "address": routing_key(kind),
                "servers": [{"$ref": "#/servers/broker"}],
                "messages": {"event": {"$ref": f"#/components/messages/{_name(kind)}"}},
                "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": "0.3.0"}},
            }
            for kind in payloads
        },
        "operations": {
            f"send_{_name(kind)}": {
                "action": "send",
                "channel": {"$ref": f"#/channels/{_name(kind)}"},
                "messages": [{"$ref": f"#/channels/{_name(kind)}/messages/event"}],
                "bindings": {"amqp": {"deliveryMode": 2, "mandatory": True, "bindingVersion": "0.3.0"}},
            }
            for kind in payloads
        },
        "components": {
            "messages": {
                _name(kind): _message(kind, payload, named, shown) for kind, payload in payloads.items()
            },
            "schemas": {"headers": HEADERS, **named},
            "securitySchemes": {"login": LOGIN},
        },
    }


def _message(
    kind: str, payload: dict[str, Any], named: dict[str, Any], shown: list[Example]
) -> dict[str, Any]:
    description = named[payload["$ref"].rpartition("/")[2]].get("description")
    return {
        "name": kind,
        **({"description": description} if description else {}),
        "contentType": "application/json",
        "headers": {
            "allOf": [
                {"$ref": "#/components/schemas/headers"},
                {"type": "object", "properties": {"cloudEvents_type": {"const": kind}}},
            ]
        },
        "payload": payload,
        "bindings": {"amqp": {"messageType": kind, "bindingVersion": "0.3.0"}},
        "examples": [{"payload": each.data} for each in shown if each.type == kind],
    }


def _name(event_type: str) -> str:
    return event_type.replace(".", "_")
