"""The pure core: no Flask, no input or output."""
