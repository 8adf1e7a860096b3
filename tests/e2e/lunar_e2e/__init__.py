"""Harness of the end-to-end tests: starts the daemon, and talks to it through tools and raw PDUs."""
