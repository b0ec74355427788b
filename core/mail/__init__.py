"""Mail: the catalog of all mails, their rendering, and the queue of those that a request sends.

A mail is one entry of the catalog plus its templates. What delivers it, and retries, is a row of the outbox.
"""
