"""The outbox: rows that a worker must process, each under a lease, until it is done or waits for staff.

A model inherits `models.OutboxRow` and defines its `policy` (`policy.Policy`). The service that creates a row
enqueues it (`sweep.enqueue`). Its worker claims the row (`leases.claim`), does the work, and writes one
outcome: `leases.complete`, `reschedule`, `fail` or `park`. What others than the worker may do is in
`operators`. See docs/decisions/027-one-outbox.md.
"""
