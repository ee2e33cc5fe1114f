"""Mail over SMTP, with TLS where the address says so."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate
from typing import Final
from urllib.parse import unquote, urlsplit

from seedtrust.core.failpoints import reach
from seedtrust.domain.notices.ports import Mail, MailRefused

_TIMEOUT_SECONDS: Final = 10
_PERMANENT: Final = 500


class SmtpMailer:
    """Sends through one server: `smtp://host:port` or `smtps://user:password@host:port`."""

    def __init__(self, url: str, sender: str) -> None:
        """Keep the server's address and the sender of every message."""
        parts = urlsplit(url)
        self._tls = parts.scheme == "smtps"
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or (465 if self._tls else 25)
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        self._sender = sender

    def send(self, mail: Mail) -> None:
        """Send one message. Raises MailRefused for a final refusal, OSError to try again."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._sender, mail.to, mail.subject
        message["Date"] = formatdate(usegmt=True)
        message["Message-ID"] = f"<{mail.message_id}@seedtrust>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        reach("mail.before_send")
        try:
            with self._connect() as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            raise _judged(error) from error
        except smtplib.SMTPException as error:
            raise OSError(str(error)) from error
        reach("mail.sent")

    def _connect(self) -> smtplib.SMTP:
        if self._tls:
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, timeout=_TIMEOUT_SECONDS, context=context
            )
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=_TIMEOUT_SECONDS)
        if self._user:
            server.login(self._user, self._password)
        return server


def _judged(error: smtplib.SMTPRecipientsRefused) -> Exception:
    code, text = next(iter(error.recipients.values()))
    sentence = f"{code} {text.decode(errors='replace')}"
    return MailRefused(sentence) if code >= _PERMANENT else OSError(sentence)
