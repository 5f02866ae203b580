"""Cases, accounts and scenario runs from the command line: what the screens show and do."""
