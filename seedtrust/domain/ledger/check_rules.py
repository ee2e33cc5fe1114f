"""The rules of the books as queries that return what breaks them.

Each rule is one statement, so it sees one moment even while others post. Columns of a statement
fill the sentence; `subject` names what the fault is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: the code and sentence of its fault, and the rows that break it."""

    code: str
    sentence: str
    subject: str
    sql: str


_SUMS: Final = """
    SELECT account_id,
           SUM(CASE WHEN layer = 0 AND side = 1 THEN amount_cents ELSE 0 END) AS dr_posted,
           SUM(CASE WHEN layer = 0 AND side = -1 THEN amount_cents ELSE 0 END) AS cr_posted,
           SUM(CASE WHEN layer = 1 AND side = 1 THEN amount_cents ELSE 0 END) AS dr_pending,
           SUM(CASE WHEN layer = 1 AND side = -1 THEN amount_cents ELSE 0 END) AS cr_pending,
           COUNT(*) AS entries, MIN(seq) AS first_seq, MAX(seq) AS last_seq
    FROM ledger_entry GROUP BY account_id
"""

TRANSACTIONS: Final = (
    Rule(
        "transaction_unbalanced",
        "Debits and credits of the {layer} layer differ by {cents} cents.",
        "transaction {txn_id}",
        """
        SELECT txn_id, CASE layer WHEN 0 THEN 'posted' ELSE 'pending' END AS layer,
               SUM(side * amount_cents) AS cents
        FROM ledger_entry GROUP BY txn_id, layer HAVING SUM(side * amount_cents) <> 0
        """,
    ),
    Rule(
        "transaction_incomplete",
        "It has {legs} entries, and its legs are not numbered from 0 without a gap.",
        "transaction {txn_id}",
        """
        SELECT t.id AS txn_id, COUNT(e.leg) AS legs
        FROM ledger_txn t LEFT JOIN ledger_entry e ON e.txn_id = t.id
        GROUP BY t.id HAVING COUNT(e.leg) < 2 OR MAX(e.leg) + 1 <> COUNT(e.leg)
        """,
    ),
    Rule(
        "entry_in_other_book",
        "The account {account_id} of an entry lies in another book than the transaction.",
        "transaction {txn_id}",
        """
        SELECT e.txn_id, e.account_id
        FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
        JOIN ledger_txn t ON t.id = e.txn_id WHERE a.book_id <> t.book_id
        """,
    ),
    Rule(
        "effective_day_differs",
        "Entry {seq} of account {account_id} has another effective day than the transaction.",
        "transaction {txn_id}",
        """
        SELECT e.txn_id, e.account_id, e.seq
        FROM ledger_entry e JOIN ledger_txn t ON t.id = e.txn_id
        WHERE e.effective_on <> t.effective_on
        """,
    ),
)

BALANCES: Final = (
    Rule(
        "balance_differs",
        "The stored balance is not the sum of the account's entries.",
        "account {account_id}",
        f"""
        SELECT b.account_id FROM ledger_balance b LEFT JOIN ({_SUMS}) s
        ON s.account_id = b.account_id
        WHERE b.dr_posted <> COALESCE(s.dr_posted, 0) OR b.cr_posted <> COALESCE(s.cr_posted, 0)
        OR b.dr_pending <> COALESCE(s.dr_pending, 0) OR b.cr_pending <> COALESCE(s.cr_pending, 0)
        """,  # noqa: S608 - no value from outside
    ),
    Rule(
        "sequence_broken",
        "It counts {seq} entries and has {entries}, from {first_seq} to {last_seq}.",
        "account {account_id}",
        f"""
        SELECT b.account_id, b.seq, COALESCE(s.entries, 0) AS entries,
               COALESCE(s.first_seq, 0) AS first_seq, COALESCE(s.last_seq, 0) AS last_seq
        FROM ledger_balance b LEFT JOIN ({_SUMS}) s ON s.account_id = b.account_id
        WHERE b.seq <> COALESCE(s.entries, 0)
        OR (s.entries > 0 AND (s.first_seq <> 1 OR s.last_seq <> s.entries))
        """,  # noqa: S608 - no value from outside
    ),
    Rule(
        "running_balance_broken",
        "The balance after entry {seq} does not follow from the entries before it.",
        "account {account_id}",
        """
        SELECT account_id, MIN(seq) AS seq FROM (
            SELECT e.account_id, e.seq, e.posted_after_cents, e.pending_after_cents,
                   a.normal_side * SUM(
                       CASE WHEN e.layer = 0 THEN e.side * e.amount_cents ELSE 0 END
                   ) OVER (PARTITION BY e.account_id ORDER BY e.seq) AS posted,
                   a.normal_side * SUM(
                       CASE WHEN e.layer = 1 THEN e.side * e.amount_cents ELSE 0 END
                   ) OVER (PARTITION BY e.account_id ORDER BY e.seq) AS pending
            FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
        ) running
        WHERE posted_after_cents <> posted OR pending_after_cents <> pending
        GROUP BY account_id
        """,
    ),
    Rule(
        "overdrawn",
        "A guarded account stands at {cents} cents with what is held.",
        "account {account_id}",
        """
        SELECT b.account_id,
               b.cr_posted - b.dr_posted + b.cr_pending - b.dr_pending AS cents
        FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id
        WHERE (b.guard = 1 OR a.kind = 'case')
        AND (b.cr_posted - b.dr_posted + b.cr_pending - b.dr_pending < 0
             OR b.cr_pending > b.dr_pending)
        """,
    ),
    Rule(
        "balance_misfiled",
        "Its balance row is missing, or has another book, normal side or guard than it should.",
        "account {account_id}",
        """
        SELECT a.id AS account_id
        FROM ledger_account a LEFT JOIN ledger_balance b ON b.account_id = a.id
        WHERE b.account_id IS NULL OR b.book_id <> a.book_id OR b.normal_side <> a.normal_side
        OR b.guard <> CASE WHEN a.kind = 'case' THEN 1 ELSE 0 END
        """,
    ),
    Rule(
        "book_unbalanced",
        "Debits and credits of all accounts differ by {posted} cents posted, {pending} pending.",
        "book {code}",
        """
        SELECT k.code, SUM(b.dr_posted - b.cr_posted) AS posted,
               SUM(b.dr_pending - b.cr_pending) AS pending
        FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id
        JOIN ledger_book k ON k.id = a.book_id GROUP BY k.code
        HAVING SUM(b.dr_posted - b.cr_posted) <> 0 OR SUM(b.dr_pending - b.cr_pending) <> 0
        """,
    ),
)

HOLDS: Final = (
    Rule(
        "holds_differ",
        "Its open holds do not add up to what is pending on it.",
        "account {account_id}",
        """
        SELECT b.account_id
        FROM ledger_balance b LEFT JOIN (
            SELECT account_id, SUM(cents) AS cents FROM (
                SELECT debit_account_id AS account_id,
                       amount_cents - captured_cents - released_cents AS cents FROM ledger_hold
                UNION ALL
                SELECT credit_account_id, captured_cents + released_cents - amount_cents
                FROM ledger_hold
            ) parts GROUP BY account_id
        ) held ON held.account_id = b.account_id
        WHERE b.dr_pending - b.cr_pending <> COALESCE(held.cents, 0)
        """,
    ),
    Rule(
        "hold_counters_differ",
        "What was captured or released of it is not what its transactions say.",
        "hold {hold_id}",
        """
        SELECT h.id AS hold_id
        FROM ledger_hold h LEFT JOIN (
            SELECT l.target_id,
                   SUM(CASE l.relation WHEN 'captures' THEN e.amount_cents ELSE 0 END) AS captured,
                   SUM(CASE l.relation WHEN 'releases' THEN e.amount_cents ELSE 0 END) AS released
            FROM ledger_txn_link l
            JOIN ledger_entry e ON e.txn_id = l.txn_id AND e.layer = 1 AND e.side = 1
            WHERE l.relation IN ('captures', 'releases') GROUP BY l.target_id
        ) done ON done.target_id = h.id
        WHERE h.captured_cents <> COALESCE(done.captured, 0)
        OR h.released_cents <> COALESCE(done.released, 0)
        """,
    ),
    Rule(
        "hold_without_legs",
        "Its transaction does not hold this amount on these accounts.",
        "hold {hold_id}",
        """
        SELECT h.id AS hold_id FROM ledger_hold h
        LEFT JOIN ledger_entry d ON d.txn_id = h.id AND d.layer = 1 AND d.side = 1
            AND d.account_id = h.debit_account_id AND d.amount_cents = h.amount_cents
        LEFT JOIN ledger_entry c ON c.txn_id = h.id AND c.layer = 1 AND c.side = -1
            AND c.account_id = h.credit_account_id AND c.amount_cents = h.amount_cents
        WHERE d.txn_id IS NULL OR c.txn_id IS NULL
        """,
    ),
    Rule(
        "hold_missing",
        "It holds money and there is no hold for it.",
        "transaction {txn_id}",
        """
        SELECT t.id AS txn_id FROM ledger_txn t LEFT JOIN ledger_hold h ON h.id = t.id
        WHERE t.phase = 1 AND h.id IS NULL
        """,
    ),
)

LINKS: Final = (
    Rule(
        "link_without_hold",
        "It {relation} something that is not a hold.",
        "transaction {txn_id}",
        """
        SELECT l.txn_id, l.relation
        FROM ledger_txn_link l LEFT JOIN ledger_hold h ON h.id = l.target_id
        WHERE l.relation IN ('captures', 'releases') AND h.id IS NULL
        """,
    ),
    Rule(
        "link_missing",
        "It ends a hold and does not say which.",
        "transaction {txn_id}",
        """
        SELECT t.id AS txn_id FROM ledger_txn t LEFT JOIN ledger_txn_link l ON l.txn_id = t.id
            AND l.relation = CASE t.phase WHEN 2 THEN 'captures' ELSE 'releases' END
        WHERE t.phase IN (2, 3) AND l.txn_id IS NULL
        """,
    ),
    Rule(
        "reversal_differs",
        "It is not the exact mirror of the transaction that it reverses.",
        "transaction {txn_id}",
        """
        SELECT DISTINCT txn_id FROM (
            SELECT l.txn_id, e.account_id, e.side * e.amount_cents AS cents
            FROM ledger_txn_link l JOIN ledger_entry e ON e.txn_id = l.txn_id AND e.layer = 0
            WHERE l.relation = 'reverses' AND l.exclusive_key = 1
            UNION ALL
            SELECT l.txn_id, e.account_id, e.side * e.amount_cents
            FROM ledger_txn_link l JOIN ledger_entry e ON e.txn_id = l.target_id AND e.layer = 0
            WHERE l.relation = 'reverses' AND l.exclusive_key = 1
        ) mirrored GROUP BY txn_id, account_id HAVING SUM(cents) <> 0
        """,
    ),
)

ORPHANS: Final = (
    Rule(
        "entry_orphaned",
        "Entry {seq} of account {account_id} belongs to no transaction, or to no account.",
        "transaction {txn_id}",
        """
        SELECT e.txn_id, e.account_id, e.seq
        FROM ledger_entry e LEFT JOIN ledger_txn t ON t.id = e.txn_id
        LEFT JOIN ledger_account a ON a.id = e.account_id
        WHERE t.id IS NULL OR a.id IS NULL
        """,
    ),
    Rule(
        "balance_orphaned",
        "There is a balance row for an account that does not exist.",
        "account {account_id}",
        """
        SELECT b.account_id FROM ledger_balance b
        LEFT JOIN ledger_account a ON a.id = b.account_id WHERE a.id IS NULL
        """,
    ),
    Rule(
        "link_orphaned",
        "It {relation} a transaction that does not exist, or is itself gone.",
        "transaction {txn_id}",
        """
        SELECT l.txn_id, l.relation FROM ledger_txn_link l
        LEFT JOIN ledger_txn t ON t.id = l.txn_id LEFT JOIN ledger_txn o ON o.id = l.target_id
        WHERE t.id IS NULL OR o.id IS NULL
        """,
    ),
    Rule(
        "hold_orphaned",
        "There is a hold without its transaction.",
        "hold {hold_id}",
        """
        SELECT h.id AS hold_id FROM ledger_hold h
        LEFT JOIN ledger_txn t ON t.id = h.id AND t.phase = 1 WHERE t.id IS NULL
        """,
    ),
)

DAILY: Final = (
    Rule(
        "daily_sums_differ",
        "The sums of {effective_on} are not the sums of that day's entries.",
        "account {account_id}",
        """
        SELECT account_id, effective_on FROM (
            SELECT account_id, effective_on, dr_cents AS dr, cr_cents AS cr, entries AS n
            FROM ledger_daily
            UNION ALL
            SELECT e.account_id, e.effective_on,
                   CASE WHEN e.side = 1 THEN -e.amount_cents ELSE 0 END,
                   CASE WHEN e.side = -1 THEN -e.amount_cents ELSE 0 END, -1
            FROM ledger_entry e
            JOIN ledger_daily_mark m ON m.account_id = e.account_id AND e.seq <= m.seq
            WHERE e.layer = 0
        ) days GROUP BY account_id, effective_on
        HAVING SUM(dr) <> 0 OR SUM(cr) <> 0 OR SUM(n) <> 0
        """,
    ),
    Rule(
        "daily_mark_ahead",
        "Its daily sums claim {seq} entries, more than it has.",
        "account {account_id}",
        """
        SELECT m.account_id, m.seq FROM ledger_daily_mark m
        LEFT JOIN ledger_balance b ON b.account_id = m.account_id
        WHERE m.seq > COALESCE(b.seq, 0)
        """,
    ),
    Rule(
        "owner_sums_differ",
        "The owners' sums of {effective_on} are not the sums of that day's entries.",
        "accounts of kind {kind}",
        """
        SELECT kind, effective_on FROM (
            SELECT kind, effective_on, dr_cents AS dr, cr_cents AS cr, entries AS n
            FROM ledger_owner_daily
            UNION ALL
            SELECT a.kind, e.effective_on,
                   CASE WHEN e.side = 1 THEN -e.amount_cents ELSE 0 END,
                   CASE WHEN e.side = -1 THEN -e.amount_cents ELSE 0 END, -1
            FROM ledger_entry e
            JOIN ledger_owner_mark m ON m.account_id = e.account_id AND e.seq <= m.seq
            JOIN ledger_account a ON a.id = e.account_id
            WHERE e.layer = 0
        ) days GROUP BY kind, effective_on
        HAVING SUM(dr) <> 0 OR SUM(cr) <> 0 OR SUM(n) <> 0
        """,
    ),
    Rule(
        "owner_mark_ahead",
        "Its sums by owner claim {seq} entries, more than it has.",
        "account {account_id}",
        """
        SELECT m.account_id, m.seq FROM ledger_owner_mark m
        LEFT JOIN ledger_balance b ON b.account_id = m.account_id
        WHERE m.seq > COALESCE(b.seq, 0)
        """,
    ),
)

RULES: Final = (*TRANSACTIONS, *BALANCES, *HOLDS, *LINKS, *ORPHANS, *DAILY)
