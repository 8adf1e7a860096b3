"""Harness of the end-to-end tests: starts the daemon, talks to it by tools and by raw PDUs."""
