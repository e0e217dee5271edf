"""The screen of settings: what a person may change, what Lumen is, and its self-test."""
