"""Screen 6: what each rule finds, how right it is, which rules agree, deploying and backtests."""
