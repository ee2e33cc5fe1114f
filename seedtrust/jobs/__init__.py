"""Work that happens outside a request: kept promises and work that the calendar sets off."""
