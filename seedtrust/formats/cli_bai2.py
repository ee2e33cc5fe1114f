"""Command line for BAI2 statements."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from seedtrust.formats import bai2 as statements


@click.group()
def bai2() -> None:
    """Read bank statements in the BAI2 format."""


@bai2.command("show")
@click.argument(
    "path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--json", "as_json", is_flag=True, help="Print the parsed file as JSON.")
def show(path: Path, *, as_json: bool) -> None:
    """Show a statement as a table.

    Exits with 1 and one line per fault if the file cannot be used, with 2 if it cannot be opened.
    """
    try:
        file = statements.read(path.read_bytes())
    except statements.Bai2Error as error:
        for finding in error.findings:
            click.echo(f"{path}: {finding}", err=True)
        sys.exit(1)
    if as_json:
        click.echo(json.dumps(_as_json(file), indent=2))
        return
    for finding in file.findings:
        click.echo(f"{path}: {finding}", err=True)
    _print_table(file)


def _print_table(file: statements.Bai2File) -> None:
    click.echo(f"From {file.sender} to {file.receiver}, made {file.created_on}, id {file.file_id}")
    for group in file.groups:
        kind = _MODIFIERS.get(group.as_of_modifier, "")
        click.echo(f"\n{group.originator}, as of {group.as_of_on} {kind}".rstrip())
        for account in group.accounts:
            click.echo(f"\nAccount {account.account_number}")
            for balance in account.balances:
                count = "" if balance.item_count is None else f"  {balance.item_count} items"
                amount = _money(balance.amount_cents)
                name = statements.name_of(balance.type_code)
                click.echo(f"  {balance.type_code}  {name:<40.40} {amount:>18}{count}")
            for item in account.transactions:
                _print_transaction(item)


def _print_transaction(item: statements.Transaction) -> None:
    is_debit = item.direction is statements.Direction.DEBIT
    amount = _money(item.signed_cents if is_debit else item.amount_cents)
    references = "  ".join(part for part in (item.bank_reference, item.customer_reference) if part)
    name = statements.name_of(item.type_code)
    click.echo(f"  {item.type_code}  {name:<40.40} {amount:>18}  {references}".rstrip())
    for line in item.text_lines:
        click.echo(f"         {line}")


_MODIFIERS = {
    statements.INTERIM_PREVIOUS_DAY: "(previous day, interim)",
    statements.FINAL_PREVIOUS_DAY: "(previous day, final)",
    statements.INTERIM_SAME_DAY: "(same day, interim)",
    statements.FINAL_SAME_DAY: "(same day, final)",
}


def _money(cents: int | None) -> str:
    if cents is None:
        return ""
    text = f"{abs(cents) // 100:,}.{abs(cents) % 100:02d}"
    return f"({text})" if cents < 0 else text


def _as_json(file: statements.Bai2File) -> dict[str, object]:
    return {
        "sender": file.sender,
        "receiver": file.receiver,
        "created_on": file.created_on.isoformat(),
        "created_time": file.created_time,
        "file_id": file.file_id,
        "findings": [
            {"line": item.line, "code": item.code, "message": item.message}
            for item in file.findings
        ],
        "groups": [_group_as_json(group) for group in file.groups],
    }


def _group_as_json(group: statements.Group) -> dict[str, object]:
    return {
        "ultimate_receiver": group.ultimate_receiver,
        "originator": group.originator,
        "status": group.status,
        "as_of_on": group.as_of_on.isoformat(),
        "as_of_time": group.as_of_time,
        "as_of_modifier": group.as_of_modifier,
        "currency": group.currency,
        "accounts": [
            {
                "account_number": account.account_number,
                "currency": account.currency,
                "balances": [
                    {
                        "type_code": item.type_code,
                        "name": statements.name_of(item.type_code),
                        "amount_cents": item.amount_cents,
                        "item_count": item.item_count,
                    }
                    for item in account.balances
                ],
                "transactions": [_transaction_as_json(item) for item in account.transactions],
            }
            for account in group.accounts
        ],
    }


def _transaction_as_json(item: statements.Transaction) -> dict[str, object]:
    return {
        "type_code": item.type_code,
        "name": statements.name_of(item.type_code),
        "direction": item.direction.value,
        "amount_cents": item.amount_cents,
        "funds": item.funds.kind,
        "bank_reference": item.bank_reference,
        "customer_reference": item.customer_reference,
        "text_lines": list(item.text_lines),
        "line": item.source.line if item.source is not None else None,
    }
