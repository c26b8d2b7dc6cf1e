"""The orchestration lab: every attempt, wait and retry of a real Prefect run.

Prefect itself is imported by child processes only.
"""
