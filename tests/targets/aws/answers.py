"""An AWS that answers what a test says and nothing else, where emulators cannot: errors, limits, old tasks.

The SDK is the real one: it checks what is asked, its model checks what is answered, its errors are its own.
A call that the test did not expect fails.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest

from cordillera.targets.aws import _client

Answer = Mapping[str, Any] | Exception | Callable[[Mapping[str, Any]], Mapping[str, Any]]
KEYS = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}


class Refusal(Exception):
    """An error of AWS: its code and its words."""

    def __init__(self, code: str, message: str = "", status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message or code, status


@dataclass
class Aws:
    """`answers` is per `service.Operation`; `asked` is what came, in order."""

    answers: dict[str, Answer]
    asked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def count(self, call: str) -> int:
        """How often that was asked."""
        return sum(1 for name, _ in self.asked if name == call)

    def client(self, service: str, region: str) -> Any:
        made = boto3.client(service, region_name=region, **KEYS)
        params: dict[str, Mapping[str, Any]] = {}

        def note(params_: Mapping[str, Any], model: Any, **_: Any) -> None:
            params[model.name] = dict(params_)

        def answer(model: Any, **_: Any) -> tuple[Any, Mapping[str, Any]]:
            return self._answer(service, model, params.get(model.name, {}))

        made.meta.events.register(
            "provide-client-params.*", lambda params, model, **_: note(params, model)
        )
        made.meta.events.register("before-call.*", answer)
        return made

    def _answer(self, service: str, model: Any, asked: Mapping[str, Any]) -> tuple[Any, Any]:
        from botocore.awsrequest import AWSResponse
        from botocore.validate import validate_parameters

        name = f"{service}.{model.name}"
        self.asked.append((name, asked))
        assert name in self.answers, f"nobody expected {name} {asked}"
        try:
            found = _given(self.answers[name], asked)
        except Refusal as e:
            parsed: Any = {"Error": {"Code": e.code, "Message": e.message}}
            return AWSResponse("", e.status, {}, None), parsed
        if model.output_shape is not None:
            validate_parameters(found, model.output_shape)
        return AWSResponse("", 200, {}, None), {"ResponseMetadata": {}, **found}


def _given(answer: Answer, asked: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(answer, Exception):
        raise answer
    return dict(answer(asked) if callable(answer) else answer)


def install(monkeypatch: pytest.MonkeyPatch, **answers: Answer) -> Aws:
    """Every client answers from `answers`; in a name, `__` stands for the dot."""
    made = Aws({name.replace("__", ".").replace("_", "-"): one for name, one in answers.items()})
    monkeypatch.setattr(_client, "_made", lambda key, service, region: made.client(service, region))
    return made
