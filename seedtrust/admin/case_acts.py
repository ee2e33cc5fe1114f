"""The page of one act on a case: its form, what it does, and what moves before it is done."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seedtrust.admin.forms import Form
from seedtrust.core.money import format_dollars
from seedtrust.domain.desk.cases import CaseHead
from seedtrust.domain.desk.contracts import Consequence, foreseen
from seedtrust.ext import in_transaction, rehearse
from seedtrust.web.actor import current_actor
from seedtrust.web.flashes import flash_done, show_again

CONFIRMED: Final = "confirmed"
_NOT_TYPED: Final = frozenset({"csrf_token", CONFIRMED})


@dataclass(frozen=True)
class Act:
    """What stands on the page of an act: words, the button, where it leads."""

    title: str
    lead: str
    submit: str
    tab: str = "admin.cases_overview"
    consequences: Sequence[str] = ()
    optional: Collection[str] = ()
    # For acts that are rehearsed: the question before the second button.
    question: str = ""
    form_title: str = ""
    # A page of its own that extends the common one, and what it needs.
    template: str = "admin/cases/act.html"
    values: Mapping[str, object] = field(default_factory=dict)


def act_page(
    act: Act, form: Form, head: CaseHead | None, seen: Consequence | None = None
) -> ResponseReturnValue:
    """Return the page of an act; 422 when its form was refused."""
    crumbs = [("Cases", url_for("admin.cases_list"))]
    back_href = url_for("admin.cases_list")
    if head is not None:
        crumbs.append((head.name, url_for("admin.cases_overview", reference=head.reference)))
        back_href = url_for(act.tab, reference=head.reference)
    page = render_template(
        act.template,
        title=act.title,
        lead=act.lead,
        crumbs=crumbs,
        form=form,
        form_title=act.form_title or act.title,
        form_submit="Show what moves" if act.question else act.submit,
        submit=act.submit,
        question=act.question,
        consequences=act.consequences,
        optional=act.optional,
        foreseen=seen,
        foreseen_lines=[] if seen is None else [*_lines(seen), *act.consequences],
        typed={**_typed(), CONFIRMED: "yes"},
        action=request.full_path.rstrip("?"),
        back_href=back_href,
        head=head,
        **act.values,
    )
    return page, 422 if form.errors else 200


def act_on(  # noqa: PLR0917 - the page, what it does, and what comes after
    act: Act,
    form: Form,
    head: CaseHead | None,
    work: Callable[[Session], object],
    told: str,
    goes_to: str,
) -> ResponseReturnValue:
    """Return the page of an act; once its form is sent, do the work in a unit and go on.

    A refusal of the verb shows the page again with what was typed.
    """
    if not form.validate_on_submit():
        return act_page(act, form, head)
    show_again(form, lambda: act_page(act, form, head))
    in_transaction(work)
    flash_done(told)
    return redirect(goes_to, code=303)


def _typed() -> dict[str, str]:
    return {name: value for name, value in request.form.items() if name not in _NOT_TYPED}


def _lines(seen: Consequence) -> list[str]:
    lines = []
    if seen.moves_stage:
        lines.append(f"The case goes from “{seen.stage_before}” to “{seen.stage_after}”.")
    else:
        lines.append(f"The case stays in “{seen.stage_after}”.")
    if not seen.items:
        return [*lines, "No expected payment moves."]
    total = format_dollars(sum(item.amount_cents for item in seen.items))
    count = len(seen.items)
    words = "expected payment changes" if count == 1 else "expected payments change"
    return [*lines, f"{count} {words}, ${total} together; see below."]


def rehearsed(
    act: Act, form: Form, head: CaseHead, work: Callable[[Session], object], told: str
) -> ResponseReturnValue:
    """Show what an act would move, and do it once that was confirmed.

    The act itself is done and undone for the preview, so nothing is foreseen wrongly.
    """
    actor = current_actor()

    def look(seen: Consequence | None = None) -> ResponseReturnValue:
        return act_page(act, form, head, seen)

    if not form.validate_on_submit():
        return look()
    show_again(form, look)
    if request.form.get(CONFIRMED) != "yes":
        return look(rehearse(lambda unit: foreseen(unit, actor, head.reference, work)))
    in_transaction(work)
    flash_done(told)
    return redirect(url_for(act.tab, reference=head.reference), code=303)
