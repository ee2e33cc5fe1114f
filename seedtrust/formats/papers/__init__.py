"""What strangers send, made anew: pictures drawn again, PDFs rebuilt from what would be printed.

Everything here handles hostile bytes, so it runs in a process of its own with little memory and
little time: `python -m seedtrust.formats.papers`. Nothing of the product is imported, no secret is
in reach, and whatever goes wrong there ends as a refusal.
"""
