"""The refusals of files."""

from __future__ import annotations

from seedtrust.core.errors import Forbidden, Invalid, Unavailable


class FileEmpty(Invalid):
    """The file has no content."""

    code = "file_empty"
    title = "The file is empty"


class FileTooLarge(Invalid):
    """The file is larger than what is stored."""

    code = "file_too_large"
    title = "The file is too large"


class FileTypeRefused(Invalid):
    """The content is of no type that is accepted, or not of the type it came as."""

    code = "file_type_refused"
    title = "This type of file is not accepted"


class FileUnsafe(Invalid):
    """The file is two things at once, or broken in a way that hides something."""

    code = "file_unsafe"
    title = "This file is not safe to keep"


class FileInfected(Invalid):
    """The virus scanner knows what is in the file."""

    code = "file_infected"
    title = "The virus scanner found something"


class FileNamesSomebody(Invalid):
    """A file for both sides of an anonymous case names a person of one of them."""

    code = "file_names_somebody"
    title = "This would tell who somebody is"


class VisibilityRefused(Forbidden):
    """The uploader may not show a file to that side."""

    code = "visibility_refused"
    title = "You cannot show a file to that side"


class FileDamaged(Unavailable):
    """The stored bytes no longer have the hash that was recorded."""

    code = "file_damaged"
    title = "The stored file is damaged"
