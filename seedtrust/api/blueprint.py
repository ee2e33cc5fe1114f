"""The blueprint of an API feature: versioned address, own tag, documented permission."""

from __future__ import annotations

from typing import Any, Final

from flask_smorest import Blueprint

from seedtrust.web.guard import Access, Open

PREFIX: Final = "/api/v1"
_MARK: Final = "_seedtrust_access"


class ApiBlueprint(Blueprint):  # type: ignore[misc] - flask-smorest ships no types
    """A flask-smorest blueprint whose name tells the guard that it belongs to the API."""

    def __init__(self, feature: str, *, description: str) -> None:
        """Take the feature's name, which becomes the tag of its operations."""
        super().__init__(f"api_{feature}", __name__, url_prefix=PREFIX, description=description)
        self.tag = feature.replace("_", " ")
        self._prepare_doc_cbks.append(_prepare_access_doc)

    def add_url_rule(self, rule: str, *args: Any, **options: Any) -> None:
        """Register a rule under the feature's tag."""
        options["tags"] = options.get("tags") or [self.tag]
        super().add_url_rule(rule, *args, **options)

    def _store_endpoint_docs(
        self, endpoint: str, obj: Any, parameters: Any, tags: Any, **options: Any
    ) -> None:
        super()._store_endpoint_docs(endpoint, obj, parameters, tags, **options)
        for method, docs in self._docs[endpoint].items():
            if method != "parameters":
                docs["access"] = getattr(getattr(obj, method, obj), _MARK, None)


def _prepare_access_doc(
    doc: dict[str, Any], doc_info: dict[str, Any], **_context: Any
) -> dict[str, Any]:
    """Show each operation's permission and whether it takes a token."""
    access: Access | None = doc_info.get("access")
    if access is None:
        return doc
    doc["x-permission"] = access.need.value
    doc["security"] = [] if access.need is Open.PUBLIC else [{"bearer": []}]
    return doc
