"""Requests that come as JSON or, with files, as a form: OpenAI's pictures and sound."""

from collections.abc import Mapping
from typing import Any

from modicum.providers.body_parsing import check_model_name, parse_request_object
from modicum.providers.facts import RequestFacts
from modicum.providers.fields import text
from modicum.providers.openai.dialect import model_in
from modicum.providers.openai.multipart import form_texts, is_form


def request_fields(body: bytes) -> Mapping[str, Any]:
    """What a request says; of a form, its short texts.

    Raises:
        DialectError: it is neither JSON nor a form.
    """
    return form_texts(body) if is_form(body) else parse_request_object(body)


def form_facts(body: bytes, path: str, usual_model: str = "") -> RequestFacts:
    """The facts of such a request. `usual_model`: the API's own, where a request may leave it out.

    Raises:
        DialectError: it is none, or names no model.
    """
    fields = request_fields(body)
    model = fields.get("model")
    stated = check_model_name(model if isinstance(model, str) else None) if model is not None else usual_model
    return RequestFacts(
        model=model_in(stated, path),
        stream=fields.get("stream") in {True, "true", "True", "1"},
        user=text(fields.get("user")),
    )
