"""Tests of the reviewer."""
