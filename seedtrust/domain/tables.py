"""Imports every table, so that metadata is complete for migrations and engines."""

from __future__ import annotations

from seedtrust.domain.audit import models as audit_models
from seedtrust.domain.cases import models as cases_models
from seedtrust.domain.checks import models as checks_models
from seedtrust.domain.closing import models as closing_models
from seedtrust.domain.disbursements import models as disbursements_models
from seedtrust.domain.documents import models as documents_models
from seedtrust.domain.echecks import models as echecks_models
from seedtrust.domain.funding import models as funding_models
from seedtrust.domain.idempotency import models as idempotency_models
from seedtrust.domain.identity import models as identity_models
from seedtrust.domain.ledger import models as ledger_models
from seedtrust.domain.notices import models as notices_models
from seedtrust.domain.operations import models as operations_models
from seedtrust.domain.outbox import models as outbox_models
from seedtrust.domain.payees import models as payees_models
from seedtrust.domain.payments import models as payments_models
from seedtrust.domain.reconciliation import models as reconciliation_models
from seedtrust.domain.signing import models as signing_models
from seedtrust.domain.terms import models as terms_models

ALL = (
    audit_models,
    cases_models,
    checks_models,
    closing_models,
    disbursements_models,
    documents_models,
    echecks_models,
    funding_models,
    idempotency_models,
    identity_models,
    ledger_models,
    notices_models,
    operations_models,
    outbox_models,
    payees_models,
    payments_models,
    reconciliation_models,
    signing_models,
    terms_models,
)
