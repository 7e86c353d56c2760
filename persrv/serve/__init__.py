"""The HTTP service and its page: ``persrv serve``, and the clients that talk to it."""
