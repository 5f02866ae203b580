"""Detection: payments and rule alerts in, decisions and alerts out; pure, event time only."""
