"""The blueprint of an API feature: versioned address, own tag, documented permission."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from flask_smorest import Blueprint

from seedtrust.core.permissions import Permission
from seedtrust.web.guard import Access, Open, mark_of

PREFIX: Final = "/api/v1"
View = TypeVar("View", bound=Callable[..., Any])


class ApiBlueprint(Blueprint):  # type: ignore[misc]  # flask-smorest ships no types
    """A flask-smorest blueprint whose name tells the guard that it belongs to the API."""

    def __init__(self, feature: str, *, description: str) -> None:
        """Take the feature's name, which becomes the tag of its operations."""
        super().__init__(f"api_{feature}", __name__, url_prefix=PREFIX, description=description)
        self.tag = feature.replace("_", " ")
        self._prepare_doc_cbks.append(_prepare_access_doc)

    def add_url_rule(self, rule: str, *args: Any, **options: Any) -> None:
        """Register a rule under the feature's tag."""
        options["tags"] = options.get("tags") or [self.tag]
        self._names_something = "<" in rule
        super().add_url_rule(rule, *args, **options)

    def route(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Register a view; stands above the other marks."""
        return cast("Callable[[View], View]", super().route(rule, **options))

    def arguments(self, schema: Any, **options: Any) -> Callable[[View], View]:
        """Parse body, form or query by a schema and hand the values to the view."""
        return cast("Callable[[View], View]", super().arguments(schema, **options))

    def response(
        self, status_code: int, schema: Any = None, **options: Any
    ) -> Callable[[View], View]:
        """Write the view's result by a schema."""
        return cast("Callable[[View], View]", super().response(status_code, schema, **options))

    def alt_response(self, status_code: int, **options: Any) -> Callable[[View], View]:
        """Describe another answer of the view."""
        return cast("Callable[[View], View]", super().alt_response(status_code, **options))

    @staticmethod
    def doc(**members: Any) -> Callable[[View], View]:
        """Add members to the description of an operation."""
        return cast("Callable[[View], View]", Blueprint.doc(**members))

    def _store_endpoint_docs(
        self, endpoint: str, obj: Any, parameters: Any, tags: Any, **options: Any
    ) -> None:
        super()._store_endpoint_docs(endpoint, obj, parameters, tags, **options)
        for method, docs in self._docs[endpoint].items():
            if method != "parameters":
                docs["access"] = mark_of(getattr(obj, method, obj))
                docs["names_something"] = self._names_something


def _prepare_access_doc(
    doc: dict[str, Any], doc_info: dict[str, Any], **_context: Any
) -> dict[str, Any]:
    """Show each operation's permission, whether it takes a token, and its usual refusals."""
    access: Access | None = doc_info.get("access")
    if access is None:
        return doc
    doc["x-permission"] = access.need.value
    doc["security"] = [] if access.need is Open.PUBLIC else [{"bearer": []}]
    refusals = doc.setdefault("responses", {})
    if access.need is not Open.PUBLIC:
        refusals[401] = "UNAUTHORIZED"
    if isinstance(access.need, Permission):
        refusals[403] = "FORBIDDEN"
    if doc_info.get("names_something"):
        refusals[404] = "NOT_FOUND"
    return doc
