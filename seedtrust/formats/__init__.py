"""Pure file formats that a bank sends and takes, usable without the rest of SeedTrust."""
